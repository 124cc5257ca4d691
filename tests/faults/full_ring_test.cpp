// full_ring_test.cpp - a ring that has no room for a request, and a kernel that takes none just then; io_uring only.
#include "faults.hpp"

#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A connection with a read that the kernel has, and which it is asked to end by a call that fails.
struct read_connection {
    task<> open() {
        pair.emplace(co_await connected_pair());
        number = static_cast<int>(pair->ours.native_handle());
        reading = spawn([this]() -> task<> { co_await pair->ours.read(byte); });
        co_await sleep_for(1ms);   // the loop waits: it hands the read over
    }
    task<> check_end() {
        (void)co_await settled(reading);
        CHECK(::fcntl(number, F_GETFD) == -1);
        CHECK(loop::current().counters().pending_operations == 0);
    }

    std::optional<stream_pair> pair;
    std::array<std::byte, 1> byte;
    task_handle<> reading;
    int number = -1;
};

}

TEST_CASE("F-11 requests for which the ring had no room are handed over soon, although nothing else makes the loop go on") {
    faults::plan small;
    small.small_rings = true;
    const faults::in_force in_force(small);
    run([]() -> task<> {
        std::vector<stream_pair> pairs;
        for (int i = 0; i < 12; ++i) {
            auto pair = co_await connected_pair();
            pairs.push_back(std::move(pair));
        }
        const auto reads = [](tcp_stream& from) -> task<std::size_t> {
            std::array<std::byte, 1> byte;
            const std::size_t count = co_await from.read(byte);
            co_return count;
        };
        std::vector<task_handle<std::size_t>> readers;
        for (auto& pair : pairs)
            readers.push_back(spawn(reads, std::ref(pair.ours)));
        const int last = static_cast<int>(pairs.back().theirs.native_handle());
        const faults::failing_call failing(faults::calls::registering, 1, EBUSY);   // the call that would make room
        // Another thread, that wakes nobody.
        std::thread sender([&failing, last] {
            while (!failing.has_failed())
                ::sched_yield();
            (void)::send(last, "x", 1, MSG_NOSIGNAL);
        });
        const std::size_t count = co_await readers.back();
        sender.join();
        CHECK(count == 1);
        readers.pop_back();
        pairs.pop_back();
        std::size_t others = 0;
        for (std::size_t i = 0; i < readers.size(); ++i) {
            co_await write_all(pairs[i].theirs, as_bytes("y"));
            others += co_await readers[i];
        }
        CHECK(others == readers.size());
    });
}

TEST_CASE("F-11 a close that the kernel hears of later ends when it has: the descriptor is closed then") {
    run([]() -> task<> {
        read_connection c;
        co_await c.open();
        const faults::failing_call refused(faults::calls::registering, 1, EBUSY);
        const auto closed = co_await as_result(c.pair->ours.close(no_deadline));
        CHECK(refused.has_failed());
        CHECK(closed.has_value());
        co_await c.check_end();
    });
}

TEST_CASE("F-11 a request that comes before the kernel has heard of a close ends the wait for it, not the close") {
    run([]() -> task<> {
        read_connection c;
        co_await c.open();
        const faults::failing_call refused(faults::calls::registering, 1, EBUSY);
        auto closing = spawn([&c]() -> task<> { co_await c.pair->ours.close(no_deadline); });
        co_await yield();
        CHECK(refused.has_failed());
        CHECK_FALSE(closing.is_done());
        closing.cancel();
        const auto left = co_await settled(closing);
        CHECK(closing.is_cancelled());
        co_await c.check_end();
    });
}
