// transfers.cpp - what a statement does at an end of a connection.
#include "world.hpp"

#include "names.hpp"
#include "pattern.hpp"

#include <support/connected_pair.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

namespace differential {

using namespace corun;

namespace {

/// Counts what a send that ends before its time leaves over.
class remainder {
public:
    remainder(endpoint& e, std::int64_t count, bool counts) noexcept : left(count), end_(e), counts_(counts) {}
    remainder(const remainder&) = delete;
    ~remainder() { end_.cut += counts_ ? left : 0; }

    std::int64_t left;

private:
    endpoint& end_;
    bool counts_;
};

}

/// A peer that has gone may be known by either error, and only to the next send. Which one it is is certain after our own half-close, and
/// once a reset has been told.
std::string world::text_of_send(endpoint& e, const std::error_code& error) {
    const bool is_certain = e.half_closed || e.reset_told;
    if (error != std::errc::connection_reset && error != std::errc::broken_pipe)
        return name_of(error);
    e.reset_told = e.reset_told || !e.half_closed;
    return is_certain ? name_of(error) : "the peer has gone";
}

task<> world::send(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    if (s.what == verb::send_shrunk)
        e.stream.set_send_buffer_size(16 * 1024);
    const bool counts = s.what != verb::send_uncounted;
    std::int64_t uncounted = 0;
    std::int64_t& sent = counts ? e.sent : uncounted;
    const std::int64_t first = counts ? 0 : e.sent;
    remainder rest(e, s.number, counts);
    std::error_code error;
    while (rest.left > 0 && !error) {
        const std::size_t piece = static_cast<std::size_t>(s.size > 0 ? std::min<std::int64_t>(s.size, rest.left) : rest.left);
        const auto count = co_await as_result(e.stream.write(pattern(s.end, first + sent, piece)));
        error = count.error();
        if (count) {
            sent += static_cast<std::int64_t>(*count);
            rest.left -= static_cast<std::int64_t>(*count);
        }
    }
    log(who, "send at " + std::to_string(s.end) + " " + std::to_string(s.number) + ": " + text_of_send(e, error));
}

/// What it sends is not counted: nobody gets it. The news of that is on its way for as long as the system likes.
task<> world::send_until_lost(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    std::error_code error;
    for (int i = 0; i < 2000 && !error; ++i) {
        const auto count = co_await as_result(e.stream.write(pattern(s.end, 0, 10)));
        error = count.error();
        if (i > 2)
            co_await sleep_for(std::chrono::microseconds(i * 10));
    }
    log(who, "send at " + std::to_string(s.end) + " until lost: " + text_of_send(e, error));
}

/// Reads until `target` bytes have come in all. A request finds every byte counted that was read.
task<std::string> world::receive_until(const statement& s, std::int64_t target) {
    endpoint& e = end_of(s.end);
    std::vector<std::byte> buffer(s.size > 0 ? static_cast<std::size_t>(s.size) : 65536);
    while (e.received < target) {
        const bytes room = bytes(buffer).first(std::min(buffer.size(), static_cast<std::size_t>(target - e.received)));
        std::size_t came = 0;
        std::error_code error;
        if (s.how == style::waits_first) {
            const auto readable = co_await as_result(e.stream.readable());
            error = readable.error();
        }
        if (!error) {
            const std::size_t half = s.how == style::two_buffers ? room.size() / 2 : 0;
            const std::array<bytes, 2> parts{room.first(half), room.subspan(half)};
            const auto count = co_await as_result(e.stream.read(std::span<const bytes>(parts)));
            error = count.error();
            if (count)
                came = *count;
        }
        if (error) {
            e.reset_told = e.reset_told || error == std::errc::connection_reset;
            co_return name_of(error);
        }
        if (came == 0)
            co_return "the end";
        if (const std::int64_t wrong = first_wrong(s.end ^ 1, e.received, room.first(came)); wrong >= 0)
            fault("a wrong byte at " + std::to_string(s.end) + ", after " + std::to_string(wrong));
        e.received += static_cast<std::int64_t>(came);
    }
    co_return "ok";
}

task<> world::receive(performer& who, const statement& s) {
    const bool to_the_end = s.what == verb::receive_end;
    const std::int64_t target = s.number - peer_of(s.end).cut;
    const std::string title =
        "receive at " + std::to_string(s.end) + (to_the_end ? " until the end" : " until " + std::to_string(s.number));
    auto left = co_await settled(receive_until(s, to_the_end ? std::int64_t(1) << 40 : target));   // [scalar]
    if (left.is_cancelled())
        throw cancelled{};
    std::string how = name_of(left);
    if (left.has_value())
        how = left.value();
    if (how != "ok")
        how += ", " + std::to_string(end_of(s.end).received + peer_of(s.end).cut) + " in all";
    log(who, title + ": " + how);
}

task<> world::receive_exactly(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    std::vector<std::byte> buffer(static_cast<std::size_t>(s.number));
    const auto left = co_await settled(read_exactly(e.stream, buffer));
    if (left.is_cancelled())
        throw cancelled{};
    std::size_t came = left.has_value() ? buffer.size() : 0;
    try {
        left.rethrow();
    } catch (const end_of_stream& end) {
        came = end.received();
    } catch (...) {
    }
    if (const std::int64_t wrong = first_wrong(s.end ^ 1, e.received, const_bytes(buffer).first(came)); wrong >= 0)
        fault("a wrong byte at " + std::to_string(s.end) + ", after " + std::to_string(wrong));
    e.received += static_cast<std::int64_t>(came);
    log(who, "receive at " + std::to_string(s.end) + " exactly " + std::to_string(s.number) + ": " + name_of(left));
}

task<> world::half_close(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    const auto done = co_await as_result(e.stream.shutdown());
    e.half_closed = e.half_closed || done;
    log(who, "half-close at " + std::to_string(s.end) + ": " + name_of(done.error()));
}

task<> world::close(performer& who, const statement& s) {
    endpoint& e = end_of(s.end);
    if (s.what == verb::reset)
        e.stream.set_reset_on_close(true);
    if (s.slot >= 0) {   // under a read: its task goes on before the descriptor is gone
        e.stream.close();
        log(who, "close at " + std::to_string(s.end));
        co_return;
    }
    const auto done = co_await as_result(e.stream.close(time_point::max()));
    log(who, (s.what == verb::reset ? "reset at " : "close at ") + std::to_string(s.end) + ": " + name_of(done.error()));
}

task<> world::refused(performer& who) {
    auto left = co_await settled(corun::connect(testing::closed_port()));
    if (left.is_cancelled())
        throw cancelled{};
    log(who, "connect: " + name_of(left));
    left.rethrow();
}

}
