// err_io_test.cpp - I/O objects used wrongly: closed twice, used after close, read by two.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/usage.hpp>

#include <array>
#include <optional>
#include <system_error>
#include <vector>

using namespace corun;
using namespace testing;

TEST_CASE("ERR-05 close twice, and from two tasks in one turn, is one close") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        auto pair = co_await connected_pair();
        const auto closes = [&]() -> task<> {
            pair.ours.close();
            listener.close();
            co_return;
        };
        auto one = spawn(closes);
        auto other = spawn(closes);
        co_await one;
        // Another object takes the numbers: a second close of the system's would hit it.
        auto next = co_await connected_pair();
        pair.ours.close();
        listener.close();
        co_await other;
        co_await write_all(next.ours, as_bytes("x"));
        std::array<std::byte, 1> byte;
        co_await read_exactly(next.theirs, byte);
        CHECK(next.ours.is_open());
        CHECK(loop::current().counters().open_handles == 3);   // `next`, and the peer of the closed one
    };
    run(main);
}

TEST_CASE("ERR-06 every use after close is bad_file_descriptor, and never reaches the number's next owner") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        auto early = pair.ours.write(as_bytes("astray"));   // made before the close, awaited after it
        pair.ours.close();
        auto next = co_await connected_pair();

        std::array<std::byte, 8> buffer;
        const std::array<const_bytes, 1> list{as_bytes("astray")};
        std::vector<std::error_code> errors;
        const auto read = co_await as_result(pair.ours.read(buffer));
        errors.push_back(read.error());
        const auto nothing = co_await as_result(pair.ours.read(bytes()));
        errors.push_back(nothing.error());
        const auto written = co_await as_result(pair.ours.write(as_bytes("astray")));
        errors.push_back(written.error());
        const auto gathered = co_await as_result(pair.ours.write(std::span<const const_bytes>(list)));
        errors.push_back(gathered.error());
        const auto readable = co_await as_result(pair.ours.readable());
        errors.push_back(readable.error());
        const auto shut_down = co_await as_result(pair.ours.shutdown());
        errors.push_back(shut_down.error());
        const auto before = co_await as_result(std::move(early));
        errors.push_back(before.error());
        for (const auto& e : errors)
            CHECK(e == std::errc::bad_file_descriptor);
        CHECK_THROWS_AS(pair.ours.local_address(), std::system_error);
        CHECK_THROWS_AS(pair.ours.set_nodelay(true), std::system_error);
        CHECK_THROWS_AS(pair.ours.native_handle(), std::system_error);

        co_await write_all(next.ours, as_bytes("own"));
        co_await next.ours.shutdown();
        std::array<std::byte, 16> got;
        const std::size_t count = co_await next.theirs.read(got);
        CHECK(as_text(const_bytes(got).first(count)) == "own");
    };
    run(main);
}

TEST_CASE("ERR-06 a stream that was moved from is a closed one, and what it was assigned over is closed") {
    const auto main = []() -> task<> {
        auto one = co_await connected_pair();
        auto other = co_await connected_pair();
        one.ours = std::move(other.ours);   // closes the first
        std::array<std::byte, 1> byte;
        const std::size_t end = co_await one.theirs.read(byte);
        CHECK(end == 0);
        const auto moved_from = co_await as_result(other.ours.read(byte));
        CHECK(moved_from.error() == std::errc::bad_file_descriptor);
        co_await write_all(one.ours, as_bytes("x"));
        co_await read_exactly(other.theirs, byte);
        CHECK(as_text(byte) == "x");
    };
    run(main);
}

TEST_CASE("TCP-15 a second reader is refused as busy, also by as_result, and the first is unaffected") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 8> buffer, other;
        const auto reads = [&]() -> task<std::size_t> { co_return co_await pair.ours.read(buffer); };
        auto first = spawn(reads);
        co_await yield();
        const auto second = co_await settled(pair.ours.read(other));
        CHECK(usage_of(second) == errc::busy);
        const auto polled = co_await settled(pair.ours.readable());
        CHECK(usage_of(polled) == errc::busy);
        const auto as_value = co_await settled(as_result(pair.ours.read(other)));
        CHECK(usage_of(as_value) == errc::busy);
        co_await write_all(pair.theirs, as_bytes("first"));
        const std::size_t count = co_await first;
        CHECK(as_text(const_bytes(buffer).first(count)) == "first");
    };
    run(main);
}

TEST_CASE("TCP-26 addresses, options and the descriptor of a stream") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        CHECK(pair.ours.local_address() == pair.theirs.remote_address());
        CHECK(pair.ours.remote_address() == pair.theirs.local_address());
        for (const bool on : {true, false}) {
            pair.ours.set_nodelay(on);
            CHECK(pair.ours.nodelay() == on);
            pair.ours.set_keep_alive(on);
            CHECK(pair.ours.keep_alive() == on);
        }
        pair.ours.set_receive_buffer_size(20000);
        CHECK(pair.ours.receive_buffer_size() >= 20000);
        pair.ours.set_send_buffer_size(20000);
        CHECK(pair.ours.send_buffer_size() >= 20000);
        CHECK(pair.ours.native_handle() != pair.theirs.native_handle());
    };
    run(main);
}

TEST_CASE("TCP-30 a descriptor that is released and adopted has one owner after the other") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const native_handle native = pair.ours.release();
        CHECK_FALSE(pair.ours.is_open());
        auto adopted = tcp_stream::adopt(native);
        pair.ours.close();
        CHECK(loop::current().counters().open_handles == 2);
        co_await write_all(adopted, as_bytes("x"));
        std::array<std::byte, 1> byte;
        co_await read_exactly(pair.theirs, byte);
        CHECK(as_text(byte) == "x");
        CHECK_THROWS_AS(tcp_stream::adopt(no_native_handle), std::system_error);
    };
    run(main);
}
