// tcp_stream_test.cpp - bytes both ways: all of them, in order, up to the end, whoever is slow.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// The byte at a place of an endless pattern that no shift maps onto itself.
std::byte pattern_at(std::uint64_t place) noexcept { return static_cast<std::byte>((place * 2654435761u) >> 21); }

std::vector<std::byte> pattern(std::size_t size, std::uint64_t from = 0) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = pattern_at(from + i);
    return bytes;
}

/// Reads to the end; the number of bytes, all of which were the pattern's.
task<std::uint64_t> read_pattern(tcp_stream& s, std::size_t buffer_size) {
    std::vector<std::byte> buffer(buffer_size);
    std::uint64_t total = 0;
    bool right = true;
    for (;;) {
        const std::size_t count = co_await s.read(buffer);
        if (count == 0)
            break;
        for (std::size_t i = 0; i < count; ++i)
            right = right && buffer[i] == pattern_at(total + i);
        total += count;
    }
    CHECK(right);
    co_return total;
}

/// Writes until the stream takes no more for the moment: the task stands in a write. Counts what went.
task<> write_for_ever(tcp_stream& s, std::uint64_t& sent) {
    const auto piece = pattern(65536);
    for (;;) {
        const std::size_t count = co_await s.write(piece);
        sent += count;
    }
}

}

TEST_CASE("TCP-01 a mebibyte goes both ways at once through an echo, unchanged") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const auto echo = [&]() -> task<> {
            auto s = co_await listener.accept();
            std::vector<std::byte> buffer(16384);
            for (;;) {
                const std::size_t count = co_await s.read(buffer);
                if (count == 0)
                    break;
                co_await write_all(s, const_bytes(buffer).first(count));
            }
        };
        auto echoing = spawn(echo);
        auto client = co_await connect(listener.local_address());
        const auto data = pattern(1 << 20);
        const auto sends = [&]() -> task<> {
            co_await write_all(client, data);
            co_await client.shutdown();
        };
        auto sending = spawn(sends);
        const std::uint64_t total = co_await read_pattern(client, 10000);
        CHECK(total == data.size());
        co_await sending;
        co_await echoing;
    };
    run(main);
}

TEST_CASE("TCP-11 a zero-length read is no end, and a zero-length write sends nothing") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto turn = loop::current().counters().turns;
        const std::size_t read = co_await pair.ours.read(bytes());
        const std::size_t written = co_await pair.ours.write(const_bytes());
        const std::array<const_bytes, 2> empty{};
        const std::size_t gathered = co_await pair.ours.write(std::span<const const_bytes>(empty));
        CHECK(read == 0);
        CHECK(written == 0);
        CHECK(gathered == 0);
        CHECK(loop::current().counters().turns == turn);   // at once

        co_await write_all(pair.ours, as_bytes("abc"));
        std::array<std::byte, 8> buffer;
        const std::size_t count = co_await pair.theirs.read(buffer);
        CHECK(as_text(const_bytes(buffer).first(count)) == "abc");
    };
    run(main);
}

TEST_CASE("TCP-12 a reader that takes one byte at a time gets all of 64 KiB without a stall") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto sends = [&]() -> task<> {
            const auto data = pattern(65536);
            co_await write_all(pair.theirs, data);
            pair.theirs.close();
        };
        auto sending = spawn(sends);
        const std::uint64_t total = co_await read_pattern(pair.ours, 1);
        CHECK(total == 65536);
        co_await sending;
    };
    run(main);
}

TEST_CASE("TCP-13 after the last byte comes the end, and again on every further read") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto sends = [&]() -> task<> {
            const auto data = pattern(100 * 1024);
            co_await write_all(pair.theirs, data);
            pair.theirs.close();
        };
        auto sending = spawn(sends);
        const std::uint64_t total = co_await read_pattern(pair.ours, 4096);
        CHECK(total == 100 * 1024);
        std::array<std::byte, 8> buffer;
        for (int i = 0; i < 5; ++i) {
            const std::size_t count = co_await pair.ours.read(buffer);
            CHECK(count == 0);
        }
        co_await pair.ours.readable();   // the end is nothing to wait for
        co_await sending;
    };
    run(main);
}

TEST_CASE("TCP-13 read_exactly says how much had come when the end came first") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        co_await write_all(pair.theirs, as_bytes("abcde"));
        pair.theirs.close();
        std::array<std::byte, 3> three;
        co_await read_exactly(pair.ours, three);
        CHECK(as_text(three) == "abc");
        std::size_t received = 0, expected = 0;
        try {
            co_await read_exactly(pair.ours, three);
        } catch (const end_of_stream& e) {
            received = e.received();
            expected = e.expected();
        }
        CHECK(received == 2);
        CHECK(expected == 3);
        CHECK(as_text(const_bytes(three).first(2)) == "de");
    };
    run(main);
}

TEST_CASE("TCP-14 64 MiB go to a slow reader in order, and no memory is taken for them") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const std::size_t size = under_sanitizer ? std::size_t(8) << 20 : std::size_t(64) << 20;
        std::vector<std::byte> data = pattern(size);
        std::size_t sent = 0;
        const auto sends = [&]() -> task<> {
            co_await write_all(pair.theirs, data, &sent);
            pair.theirs.close();
        };
        auto sending = spawn(sends);
        co_await yield();
        const std::size_t before = allocated_bytes();
        std::size_t most = 0;
        std::vector<std::byte> buffer(100'000);
        std::uint64_t total = 0;
        bool right = true;
        for (;;) {
            co_await yield();   // slow: a turn for each piece
            const std::size_t count = co_await pair.ours.read(buffer);
            if (count == 0)
                break;
            right = right && std::equal(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count),
                                        data.begin() + static_cast<std::ptrdiff_t>(total));
            total += count;
            most = std::max(most, allocated_bytes());
        }
        CHECK(right);
        CHECK(total == size);
        CHECK(sent == size);
        CHECK(most < before + 2 * buffer.size());
        co_await sending;
    };
    run(main);
}

TEST_CASE("TCP-14 a list of 3,000 buffers, empty ones among them, is written in order, also when it goes in parts") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto data = pattern(6 << 20);
        std::vector<const_bytes> list;
        const_bytes left(data);
        for (int i = 0; i < 3000; ++i) {
            const auto piece = i % 7 == 0 ? 0 : std::min<std::size_t>(left.size(), static_cast<std::size_t>(i));
            list.push_back(left.first(piece));
            left = left.subspan(piece);
        }
        list.push_back(left);
        std::size_t sent = 0;
        const auto sends = [&]() -> task<> {
            co_await write_all(pair.theirs, std::span<const const_bytes>(list), &sent);
            pair.theirs.close();
        };
        auto sending = spawn(sends);
        const std::uint64_t total = co_await read_pattern(pair.ours, 50'000);
        CHECK(total == data.size());
        co_await sending;
        CHECK(sent == data.size());
    };
    run(main);
}

TEST_CASE("TCP-14 a read into several buffers fills them in order") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        co_await write_all(pair.theirs, as_bytes("abcdefg"));
        std::array<std::byte, 2> one;
        std::array<std::byte, 10> other;
        const std::array<bytes, 3> list{bytes(), bytes(one), bytes(other)};   // an empty one in front is no end
        const std::size_t count = co_await pair.ours.read(std::span<const bytes>(list));
        CHECK(count == 7);
        CHECK(as_text(one) == "ab");
        CHECK(as_text(const_bytes(other).first(5)) == "cdefg");
    };
    run(main);
}

TEST_CASE("TCP-16 a writer whose peer does not read suspends without a spin, and goes on when the peer reads") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::uint64_t sent = 0;
        auto writing = spawn(write_for_ever, std::ref(pair.ours), std::ref(sent));
        // Until the write waits: its turns are over when a whole sleep changes nothing.
        for (std::uint64_t before = sent + 1; before != sent;) {
            before = sent;
            co_await sleep_for(5ms);
        }
        const auto turns = loop::current().counters().turns;
        co_await sleep_for(50ms);
        CHECK(loop::current().counters().turns - turns <= 5);
        const std::uint64_t stood_at = sent;
        REQUIRE(stood_at > 0);

        std::vector<std::byte> buffer(1 << 20);
        std::uint64_t received = 0;
        while (received <= stood_at) {   // more than was there: the writer has gone on
            const std::size_t count = co_await pair.theirs.read(buffer);
            received += count;
        }
        writing.cancel();
        co_await wait(writing);
        CHECK(writing.is_cancelled());
        CHECK(sent >= received);
    };
    run(main);
}

TEST_CASE("TCP-17 the end of our sending side is the peer's end; the other way goes on until it is ended, too") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto answers = [&]() -> task<> {
            std::string asked;
            std::array<std::byte, 16> buffer;
            for (;;) {
                const std::size_t count = co_await pair.theirs.read(buffer);
                if (count == 0)
                    break;
                asked += as_text(const_bytes(buffer).first(count));
            }
            const std::string answer = "to " + asked;
            co_await write_all(pair.theirs, as_bytes(answer));
            co_await pair.theirs.shutdown();
        };
        auto answering = spawn(answers);
        co_await write_all(pair.ours, as_bytes("question"));
        co_await pair.ours.shutdown();
        std::string got;
        std::array<std::byte, 16> buffer;
        for (;;) {
            const std::size_t count = co_await pair.ours.read(buffer);
            if (count == 0)
                break;
            got += as_text(const_bytes(buffer).first(count));
        }
        CHECK(got == "to question");
        co_await answering;
        const auto sent = co_await as_result(pair.ours.write(as_bytes("more")));
        CHECK(sent.error() == std::errc::broken_pipe);
    };
    run(main);
}

TEST_CASE("TCP-19 a reset while a write waits and nobody reads ends the write, without a spin") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::uint64_t sent = 0;
        std::error_code error;
        const auto writes = [&]() -> task<> {
            try {
                co_await write_for_ever(pair.ours, sent);
            } catch (const std::system_error& e) {
                error = e.code();
            }
        };
        auto writing = spawn(writes);
        for (std::uint64_t before = sent + 1; before != sent;) {
            before = sent;
            co_await sleep_for(5ms);
        }
        const auto turns = loop::current().counters().turns;
        pair.theirs.set_reset_on_close(true);
        pair.theirs.close();
        co_await writing;
        CHECK((error == std::errc::connection_reset || error == std::errc::broken_pipe));
        co_await sleep_for(50ms);   // the stream is open, its error is known, nothing is pending
        CHECK(loop::current().counters().turns - turns <= 20);
    };
    run(main);
}

TEST_CASE("TCP-20 a write after the peer has closed is an error, and no signal ends the process") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        pair.theirs.close();
        std::array<std::byte, 1> byte;
        const std::size_t end = co_await pair.ours.read(byte);
        CHECK(end == 0);
        std::error_code error;
        while (!error) {   // the first may still be taken: its answer is the reset
            const auto sent = co_await as_result(pair.ours.write(as_bytes("x")));
            error = sent.error();
            co_await yield();
        }
        CHECK((error == std::errc::broken_pipe || error == std::errc::connection_reset));
    };
    run(main);
}
