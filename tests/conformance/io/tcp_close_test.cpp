// tcp_close_test.cpp - the ends of streams: with operations pending, from anywhere, and what comes after.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/scale.hpp>
#include <support/turns.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Reads once, and notes the end.
task<> read_once(tcp_stream& s, bytes buffer, std::optional<result<std::size_t>>& end) {
    const auto got = co_await as_result(s.read(buffer));
    end = got;
}

/// Writes until an error comes.
task<> write_until_error(tcp_stream& s, std::error_code& error) {
    const auto piece = std::make_unique<std::array<std::byte, 65536>>();
    while (!error) {
        const auto sent = co_await as_result(s.write(*piece));
        error = sent.error();
    }
}

}

TEST_CASE("TCP-21 close ends a pending read with operation_canceled one turn later, and the peer reads the end") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 8> buffer;
        std::optional<result<std::size_t>> end;
        std::uint64_t ended_at = 0;
        const auto reads = [&]() -> task<> {
            co_await read_once(pair.ours, buffer, end);
            ended_at = turn_number();
        };
        auto reading = spawn(reads);
        co_await yield();
        pair.ours.close();
        const auto closed_at = turn_number();
        CHECK_FALSE(end);
        CHECK_FALSE(pair.ours.is_open());
        co_await reading;
        REQUIRE(end);
        CHECK(end->error() == std::errc::operation_canceled);
        CHECK(ended_at == closed_at + 1);

        std::array<std::byte, 1> byte;
        const std::size_t peers = co_await pair.theirs.read(byte);
        CHECK(peers == 0);
    };
    run(main);
}

TEST_CASE("TCP-21 close(deadline) returns when the descriptor is closed, and a second one answers the same") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        co_await pair.ours.close(loop::current().time() + 1s);
        CHECK_FALSE(pair.ours.is_open());
        const auto again = co_await as_result(pair.ours.close(loop::current().time() + 1s));
        CHECK(again.has_value());
        auto listener = tcp_listener::bind(loopback());
        co_await listener.close(loop::current().time() + 1s);
        CHECK_FALSE(listener.is_open());
    };
    run(main);
}

TEST_CASE("TCP-22 buffers are the caller's again right after the awaits of a closed stream") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::optional<result<std::size_t>> end;
        std::error_code error;
        const auto reads = [&]() -> task<> {
            const auto buffer = std::make_unique<std::array<std::byte, 4096>>();
            co_await read_once(pair.ours, *buffer, end);
        };   // the buffer goes here
        auto reading = spawn(reads);
        auto writing = spawn(write_until_error, std::ref(pair.ours), std::ref(error));
        while (loop::current().counters().pending_operations < 2)   // both wait for the kernel
            co_await yield();
        pair.ours.close();
        co_await reading;
        co_await writing;
        CHECK(end->error() == std::errc::operation_canceled);
        CHECK(error == std::errc::operation_canceled);
        // What the peer sends now must not be written anywhere.
        (void)co_await as_result(pair.theirs.write(as_bytes("late")));
        co_await yield();
    };
    run(main);
}

TEST_CASE("TCP-22 tasks that do not stop are destroyed with their I/O pending, and the connection that had come is closed") {
    hook_log log;
    const auto main = []() -> task<> {
        // Their objects are their own: this frame goes first.
        const auto accepts_for_ever = [](tcp_listener l) -> task<> {
            const auto accepts = [&l]() -> task<> {
                for (;;)
                    (void)co_await settled(l.accept());
            };
            for (int i = 0; i < 3; ++i)
                spawn(accepts);
            for (;;)
                (void)co_await settled(l.accept());
        };
        const auto reads_for_ever = [](tcp_stream s) -> task<> {
            std::array<std::byte, 8> buffer;
            for (;;)
                (void)co_await settled(s.read(buffer));
        };
        auto pair = co_await connected_pair();
        spawn(accepts_for_ever, tcp_listener::bind(loopback()));
        spawn(reads_for_ever, std::move(pair.ours));
        spawn(reads_for_ever, std::move(pair.theirs));
        for (int i = 0; i < 2; ++i)   // the last of them has begun to wait then
            co_await yield();
    };
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), main);
    CHECK(log.size() == 6);   // each of them was told about
}

TEST_CASE("TCP-23 a stream may be destroyed by the task whose operation on it has just ended") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        auto owned = std::make_unique<tcp_stream>(std::move(pair.ours));
        CHECK_FALSE(pair.ours.is_open());   // a stream that was moved from is a closed one
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 8> buffer;
            const std::size_t count = co_await owned->read(buffer);
            CHECK(count == 1);
            owned.reset();
        };
        auto reading = spawn(reads);
        co_await yield();
        co_await write_all(pair.theirs, as_bytes("x"));
        co_await reading;
        std::array<std::byte, 1> byte;
        const std::size_t end = co_await pair.theirs.read(byte);
        CHECK(end == 0);
    };
    run(main);
}

TEST_CASE("TCP-23 a stream may be destroyed by another task: its operation has ended before the reader goes on") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        auto owned = std::make_unique<tcp_stream>(std::move(pair.ours));
        std::optional<result<std::size_t>> end;
        std::array<std::byte, 8> buffer;
        auto reading = spawn(read_once, std::ref(*owned), bytes(buffer), std::ref(end));
        co_await yield();
        owned.reset();
        co_await reading;
        CHECK(end->error() == std::errc::operation_canceled);
        const auto before = loop::current().counters();
        CHECK(before.pending_operations == 0);
        CHECK(before.open_handles == 1);   // theirs
    };
    run(main);
}

TEST_CASE("TCP-27 a stream whose read was given up is closed and its number used again: no byte goes astray") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const std::size_t rounds = stress() >= 100 ? 10'000 : 1'000;
        for (std::size_t i = 0; i < rounds; ++i) {
            auto client = co_await connect(listener.local_address());
            auto served = co_await listener.accept();
            client.set_reset_on_close(true);   // leaves no port in waiting
            std::optional<result<std::size_t>> end;
            std::array<char, 8> text{};
            auto reading = spawn(read_once, std::ref(served), std::as_writable_bytes(std::span(text)), std::ref(end));
            co_await yield();
            // The byte is in the kernel when the read is given up; the next round's stream has this one's number.
            if (i % 2 == 0)
                co_await write_all(client, as_bytes("astray"));
            reading.cancel();
            co_await wait(reading);
            const bool given_up = reading.is_cancelled() || (end && end->has_value());
            REQUIRE(given_up);
            served.close();

            auto second = co_await connect(listener.local_address());
            auto successor = co_await listener.accept();
            second.set_reset_on_close(true);
            co_await write_all(second, as_bytes("own"));
            std::array<std::byte, 16> buffer;
            const std::size_t count = co_await successor.read(buffer);
            REQUIRE(as_text(const_bytes(buffer).first(count)) == "own");
        }
    };
    run(main);
}

TEST_CASE("TCP-23 streams may outlive their loop, and are closed ones then") {
    std::optional<tcp_stream> stream;
    std::optional<tcp_listener> listener;
    const auto makes = [&]() -> task<> {
        listener.emplace(tcp_listener::bind(loopback()));
        auto s = co_await connect(listener->local_address());
        stream.emplace(std::move(s));
        CHECK(stream->is_open());
    };
    run(makes);
    CHECK_FALSE(stream->is_open());
    CHECK_FALSE(listener->is_open());
    stream->close();
    const auto uses = [&]() -> task<> {
        std::array<std::byte, 1> byte;
        const auto got = co_await as_result(stream->read(byte));
        CHECK(got.error() == std::errc::bad_file_descriptor);
    };
    run(uses);
}

TEST_CASE("TCP-23 between two runs of a runner a stream may be closed, and another destroyed") {
    runner r;
    std::optional<stream_pair> pair;
    const auto makes = [&]() -> task<> {
        auto p = co_await connected_pair();
        pair.emplace(std::move(p));
    };
    r.run(makes);
    pair->theirs.close();
    CHECK(r.current_loop()->counters().open_handles == 1);
    const auto uses = [&]() -> task<> {
        std::array<std::byte, 1> byte;
        const std::size_t end = co_await pair->ours.read(byte);
        CHECK(end == 0);
    };
    r.run(uses);
    pair.reset();
    CHECK(r.current_loop()->counters().open_handles == 0);
}

TEST_CASE("TCP-23 another loop's stream is refused, and works on in its own") {
    runner first;
    std::optional<stream_pair> pair;
    const auto makes = [&]() -> task<> {
        auto p = co_await connected_pair();
        pair.emplace(std::move(p));
    };
    first.run(makes);
    const auto misuses = [&]() -> task<> {
        std::optional<errc> code;
        try {
            co_await pair->ours.write(as_bytes("x"));
        } catch (const usage_error& e) {
            code = e.code();
        }
        CHECK(code == errc::foreign_loop);
    };
    run(misuses);
    const auto uses = [&]() -> task<> {
        co_await write_all(pair->ours, as_bytes("x"));
        std::array<std::byte, 1> byte;
        co_await read_exactly(pair->theirs, byte);
        CHECK(as_text(byte) == "x");
    };
    first.run(uses);
}

TEST_CASE("CAN-42 closing a listener ends every accept of it, those in line too, in order") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        std::string ends;
        const auto accepts = [&](int number) -> task<> {
            const auto got = co_await as_result(listener.accept());
            ends += std::to_string(number) + (got.error() == std::errc::operation_canceled ? " " : "? ");
        };
        std::vector<task_handle<>> all;
        for (int i = 1; i <= 4; ++i)
            all.push_back(spawn(accepts, i));
        co_await yield();
        co_await yield();
        listener.close();
        const auto left = co_await wait(all).within(5s);
        CHECK(left.pending.empty());
        CHECK(ends.size() == 8);
        CHECK(ends.find('?') == std::string::npos);
        CHECK(ends.find("2 3 4 ") != std::string::npos);
    };
    run(main);
}
