// io_cancel_test.cpp - requests to end connects, to end many reads at once, and requests while nothing is pending.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/os.hpp>
#include <support/turns.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A request that comes and is taken back while this task stands in no await.
void ask_and_take_back() {
    this_task::handle().cancel();
    this_task::handle().uncancel();
}

}

TEST_CASE("CAN-16 a request that is taken back while nothing is pending has no effect on the next operation, of any kind") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        ask_and_take_back();
        auto client = co_await connect(listener.local_address());
        ask_and_take_back();
        auto served = co_await listener.accept();
        ask_and_take_back();
        co_await client.write(as_bytes("first"));
        ask_and_take_back();
        co_await served.readable();
        ask_and_take_back();
        const auto first = co_await read_some(served);
        CHECK(first == "first");

        // A read that has to wait, too.
        const auto reads = [&]() -> task<std::string> {
            ask_and_take_back();
            return read_some(served);
        };
        auto reading = spawn(reads);
        co_await yield();
        CHECK(loop::current().counters().pending_operations == 1);
        ask_and_take_back();
        co_await client.write(as_bytes("second"));
        const auto second = co_await reading;
        CHECK(second == "second");
        CHECK(this_task::handle().cancelling() == 0);
    };
    run(main);
}

TEST_CASE("CAN-16 closing a stream that has nothing pending is no news to the next one") {
    const auto main = []() -> task<> {
        for (int i = 0; i < 100; ++i) {
            auto closed = co_await connected_pair();
            closed.ours.close();
            auto pair = co_await connected_pair();
            const auto reads = [&]() -> task<std::string> { return read_some(pair.ours); };
            auto reading = spawn(reads);
            co_await yield();
            REQUIRE_FALSE(reading.is_done());
            co_await write_all(pair.theirs, as_bytes("x"));
            const auto got = co_await reading;
            REQUIRE(got == "x");
        }
    };
    run(main);
}

namespace {

/// Clients of a listener that takes nobody: some are connected, the others wait.
struct crowd {
    tcp_listener listener = tcp_listener::bind(loopback(), [] {
        listen_options o;
        o.backlog = 1;
        return o;
    }());
    std::vector<task_handle<tcp_stream>> clients;

    /// Returns when those who can be connected surely are: the first one, and whoever was begun before the last of many turns.
    task<> gather(int count) {
        const auto connects = [](address to) -> task<tcp_stream> {
            auto s = co_await connect(to);
            co_return s;
        };
        for (int i = 0; i < count; ++i)
            clients.push_back(spawn(connects, listener.local_address()));
        co_await wait(clients.front());
        for (int i = 0; i < 200; ++i)
            co_await yield();
    }
};

}

TEST_CASE("CAN-23 a connect that is cancelled while it is under way ends as cancelled, and its socket is closed") {
    const auto main = []() -> task<> {
        const auto before = os::open_descriptors();
        {
            crowd c;
            co_await c.gather(8);
            REQUIRE_FALSE(c.clients.back().is_done());
            std::size_t connected = 0;
            for (auto& client : c.clients) {
                client.cancel();
                const auto left = co_await settled(std::move(client));
                if (left.has_value())
                    ++connected;
                else
                    CHECK(left.threw<task_cancelled>());
            }
            CHECK(connected < 8);
            CHECK(loop::current().counters().pending_operations == 0);
            CHECK(loop::current().counters().open_handles == 1);   // the listener's
        }
        CHECK(os::open_descriptors() == before);
    };
    run(main);
}

TEST_CASE("CAN-23 a connect that takes too long ends with its timeout, and its socket is closed") {
    const auto main = []() -> task<> {
        crowd c;
        co_await c.gather(8);
        const auto open = loop::current().counters().open_handles;
        const auto late = co_await settled(timeout(1ms, connect(c.listener.local_address())));
        CHECK(late.threw<timed_out>());
        CHECK(loop::current().counters().open_handles == open);
        for (auto& client : c.clients)
            client.cancel();
        for (auto& client : c.clients)
            co_await wait(client);
    };
    run(main);
}

namespace {

/// Connections to itself, as many as the process may open and `most` at most; a few descriptors are left for others.
task<std::vector<stream_pair>> many_pairs(std::size_t most) {
    std::vector<stream_pair> pairs;
    auto listener = tcp_listener::bind(loopback());
    while (pairs.size() < most) {
        auto client = co_await as_result(connect(listener.local_address()));
        if (!client)
            break;
        auto served = co_await as_result(listener.accept());
        if (!served)
            break;
        client->set_reset_on_close(true);   // leaves no port in waiting
        pairs.emplace_back(std::move(*client), std::move(*served));
    }
    const bool is_short = pairs.size() < most;
    for (int i = 0; i < 4 && is_short; ++i)
        pairs.pop_back();
    co_return pairs;
}

}

TEST_CASE("CAN-24 ten thousand reads that are cancelled in one turn end as cancelled, once each, and nothing is left with the kernel") {
    const auto main = []() -> task<> {
        auto pairs = co_await many_pairs(5'000);
        const std::size_t count = 2 * pairs.size();
        INFO(count << " reads");
        REQUIRE(count >= 400);
        std::size_t ends = 0;
        std::size_t ended_cancelled = 0;
        std::vector<std::array<std::byte, 16>> buffers(count);
        const auto reads = [&](std::size_t i) -> task<> {
            tcp_stream& s = i % 2 == 0 ? pairs[i / 2].ours : pairs[i / 2].theirs;
            const auto left = co_await settled(s.read(buffers[i]));
            ++ends;
            ended_cancelled += left.is_cancelled();
        };
        std::vector<task_handle<>> readers;
        for (std::size_t i = 0; i < count; ++i)
            readers.push_back(spawn(reads, i));
        co_await yield();
        CHECK(loop::current().counters().pending_operations == count);

        const auto asked_at = turn_number();
        for (auto& r : readers)
            r.cancel();
        CHECK(ends == 0);   // never inline
        for (auto& r : readers)
            co_await r;
        INFO("after " << turn_number() - asked_at << " turns");
        CHECK(ends == count);
        CHECK(ended_cancelled == count);
        CHECK(loop::current().counters().pending_operations == 0);

        // What comes now is for the next reads.
        for (const std::size_t i : {std::size_t(0), pairs.size() - 1}) {
            co_await write_all(pairs[i].theirs, as_bytes("kept"));
            const auto got = co_await read_some(pairs[i].ours);
            CHECK(got == "kept");
            CHECK(buffers[2 * i][0] == std::byte());
        }
    };
    run(main);
}
