// can_io_test.cpp - requests and kernel effects: an effect that happened is returned, else nothing happened; both keep every byte.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/turns.hpp>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Asks this task to end, then awaits; says how that ended, and how many turns later.
template <class A>
task<std::string> end_after_request(A awaitable) {
    this_task::handle().cancel();
    const auto asked_at = turn_number();
    const auto left = co_await settled(std::move(awaitable));
    const auto turns = turn_number() - asked_at;
    this_task::handle().uncancel();
    co_return end_of(left) + "+" + std::to_string(turns);
}

}

TEST_CASE("CAN-03 a request that is there before the first I/O await ends that, and the kernel is not asked") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const auto connected = co_await end_after_request(connect(listener.local_address()));
        CHECK(connected == "cancelled+1");
        CHECK(loop::current().counters().open_handles == 1);   // the listener's
        // Nobody has come: whoever is accepted now is this one.
        auto client = co_await connect(listener.local_address());
        auto served = co_await listener.accept();
        CHECK(served.remote_address() == client.local_address());

        const auto written = co_await end_after_request(client.write(as_bytes("not sent")));
        CHECK(written == "cancelled+1");
        co_await write_all(client, as_bytes("sent"));
        const auto got = co_await read_some(served);
        CHECK(got == "sent");
    };
    run(main);
}

TEST_CASE("CAN-04 a request wins over data that is there already, which the next read gets") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        co_await write_all(pair.theirs, as_bytes("kept"));
        co_await pair.ours.readable();
        std::array<std::byte, 64> buffer;
        const auto left = co_await end_after_request(pair.ours.read(buffer));
        CHECK(left == "cancelled+1");
        const auto got = co_await read_some(pair.ours);
        CHECK(got == "kept");

        auto listener = tcp_listener::bind(loopback());
        auto client = co_await connect(listener.local_address());
        const auto accepted = co_await end_after_request(listener.accept());
        CHECK(accepted == "cancelled+1");
        auto served = co_await listener.accept();
        CHECK(served.remote_address() == client.local_address());
    };
    run(main);
}

TEST_CASE("CAN-05 each I/O operation begun with a request pending ends with it one turn later, not inline") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        auto listener = tcp_listener::bind(loopback());
        std::array<std::byte, 8> buffer;
        const std::array<bytes, 1> many{bytes(buffer)};
        const std::array<const_bytes, 1> data{as_bytes("x")};
        const auto read = co_await end_after_request(pair.ours.read(buffer));
        const auto scattered = co_await end_after_request(pair.ours.read(std::span<const bytes>(many)));
        const auto empty = co_await end_after_request(pair.ours.read(bytes()));
        const auto written = co_await end_after_request(pair.ours.write(data[0]));
        const auto gathered = co_await end_after_request(pair.ours.write(std::span<const const_bytes>(data)));
        const auto readable = co_await end_after_request(pair.ours.readable());
        const auto shut_down = co_await end_after_request(pair.ours.shutdown());
        const auto accepted = co_await end_after_request(listener.accept());
        const auto connected = co_await end_after_request(connect(listener.local_address()));
        const auto result = co_await end_after_request(as_result(pair.ours.read(buffer)));
        for (const auto* end : {&read, &scattered, &empty, &written, &gathered, &readable, &shut_down, &accepted, &connected, &result})
            CHECK(*end == "cancelled+1");

        // Nothing of it has happened: the peer is not at the end, and has got nothing.
        co_await write_all(pair.ours, as_bytes("first"));
        const auto got = co_await read_some(pair.theirs);
        CHECK(got == "first");
    };
    run(main);
}

TEST_CASE("CAN-07 data and a request race for a reader: the bytes and a request that stays, or cancelled and all bytes still there") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        auto signal = co_await connected_pair();
        int got_bytes = 0, was_cancelled = 0;
        for (int i = 0; i < 1000; ++i) {
            std::optional<std::string> read;
            bool delivered_later = false;
            const auto reads = [&]() -> task<> {
                read = co_await read_some(pair.ours);
                const auto later = co_await settled(yield());   // the next suspension
                delivered_later = later.is_cancelled();
                if (delivered_later)
                    throw cancelled{};
            };
            auto reading = spawn(reads);
            const auto cancels = [&]() -> task<> {
                std::array<std::byte, 1> byte;
                co_await signal.ours.read(byte);
                reading.cancel();
            };
            auto cancelling = spawn(cancels);
            co_await yield();
            // Odd rounds: the canceller's news comes first in its batch, or the reader's does. Then both are of one batch.
            if (i % 4 < 2)
                co_await write_all(signal.theirs, as_bytes("!"));
            co_await write_all(pair.theirs, as_bytes("bytes"));
            if (i % 4 >= 2)
                co_await write_all(signal.theirs, as_bytes("!"));
            co_await cancelling;
            co_await wait(reading);
            REQUIRE(reading.is_cancelled());   // the request never vanishes
            if (read) {
                ++got_bytes;
                REQUIRE(*read == "bytes");
                REQUIRE(delivered_later);
            } else {
                ++was_cancelled;
                const auto left = co_await read_some(pair.ours);
                REQUIRE(left == "bytes");
            }
        }
        CHECK(got_bytes + was_cancelled == 1000);
    };
    run(main);
}

TEST_CASE("CAN-08 data that is sent after the request goes to the next read, all of it") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 64> buffer;
        const auto reads = [&]() -> task<> { co_await pair.ours.read(buffer); };
        auto reading = spawn(reads);
        co_await yield();
        reading.cancel();
        co_await write_all(pair.theirs, as_bytes("after the request"));
        co_await wait(reading);
        CHECK(reading.is_cancelled());
        std::array<std::byte, 17> all;
        co_await read_exactly(pair.ours, all);
        CHECK(as_text(all) == "after the request");
    };
    run(main);
}

TEST_CASE("CAN-08 several requests before the delivery are one exception, and none is left over") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        int caught = 0;
        bool second_wait = false;
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 8> buffer;
            const auto left = co_await settled(pair.ours.read(buffer));
            caught += left.is_cancelled();
            const auto again = co_await settled(yield());
            second_wait = again.has_value();
        };
        auto reading = spawn(reads);
        co_await yield();
        reading.cancel();
        reading.cancel();
        CHECK(reading.cancelling() == 2);
        co_await wait(reading);
        CHECK(caught == 1);
        CHECK(second_wait);
    };
    run(main);
}

TEST_CASE("CAN-08 a timeout around a read takes nothing, and the stream is as good as before") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 5> buffer;
        const auto late = co_await settled(timeout(1ms, pair.ours.read(buffer)));
        CHECK(late.threw<timed_out>());
        co_await write_all(pair.theirs, as_bytes("hello"));
        co_await read_exactly(pair.ours, buffer);
        CHECK(as_text(buffer) == "hello");
    };
    run(main);
}
