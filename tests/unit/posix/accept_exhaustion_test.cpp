// accept_exhaustion_test.cpp - accept when the process is out of descriptors (8.6). Here, not in the conformance suite: the
// limit is the system's own.
#include <common/sockaddr.hpp>
#include <corun/corun.hpp>
#include <posix/fd.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hand_clock.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/turns.hpp>
#include <unit/accepting_server.hpp>
#include <unit/no_descriptors.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

#if !defined(CORUN_TEST_NEEDS_DESCRIPTORS)

namespace {

struct server : accepting_server {
    std::optional<no_descriptors> none;

    /// Clients wait, there are no descriptors from now on, and an accept has been told so: the pause has begun.
    task<> run_out(int count) {
        co_await connect_clients(count);
        none.emplace();
        const auto error = co_await accept_one();
        CHECK(error == std::errc::too_many_files_open);
    }

    /// An accept that has come as far as it can; there are so many timers then.
    task<task_handle<std::error_code>> begin_accept(std::size_t timers) {
        auto begun = spawn([this]() -> task<std::error_code> { return accept_one(); });
        co_await yield();
        CHECK(loop::current().counters().armed_timers == timers);
        co_return begun;
    }
};

}

TEST_CASE("RES-01 out of descriptors an accept says so once, the next one waits without a spin, and all clients are served") {
    const auto main = []() -> task<> {
        server s;
        co_await s.run_out(50);

        // The next one waits out its 100 ms, and then says so again.
        const auto begun = clock::now();
        const auto turn = turn_number();
        const auto again = co_await s.accept_one();
        CHECK(again == std::errc::too_many_files_open);
        CHECK(clock::now() - begun >= 90ms);   // the pause began with the first answer
        CHECK(turn_number() - turn <= 10);

        s.none.reset();
        while (s.served.size() < s.clients.size()) {
            const auto served = co_await s.accept_one();
            REQUIRE_FALSE(served);
        }
    };
    run(main);
}

TEST_CASE("RES-01 a descriptor that this loop closes ends the pause at once, for those who wait in order") {
    const auto main = []() -> task<> {
        server s;
        auto spare = co_await connected_pair();
        co_await s.run_out(3);
        const auto begun = clock::now();
        auto first = co_await s.begin_accept(1);
        auto second = co_await s.begin_accept(1);
        spare.ours.close();
        const auto first_end = co_await first;
        CHECK_FALSE(first_end);
        CHECK(clock::now() - begun < 90ms);
        // The freed number is used up: the second one is told, after the first was served.
        const auto second_end = co_await second;
        CHECK(second_end == std::errc::too_many_files_open);
    };
    run(main);
}

TEST_CASE("RES-01 an accept in the pause can be cancelled and closed, and leaves no timer") {
    const auto main = []() -> task<> {
        server s;
        co_await s.run_out(1);
        auto cancelled_one = co_await s.begin_accept(1);
        cancelled_one.cancel();
        co_await wait(cancelled_one);
        CHECK(cancelled_one.is_cancelled());
        CHECK(loop::current().counters().armed_timers == 0);

        auto closed_one = co_await s.begin_accept(1);
        s.listener.close();
        const auto end = co_await closed_one;
        CHECK(end == std::errc::operation_canceled);
        CHECK(loop::current().counters().armed_timers == 0);
    };
    run(main);
}

TEST_CASE("RES-01 an accept that waits is told that there are no descriptors, and the one behind it in the line waits out the pause") {
    hand_clock c;   // the pause lasts until the case says so
    const auto main = [&c]() -> task<> {
        server s;
        const posix::fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        auto first = co_await s.begin_accept(0);
        auto second = co_await s.begin_accept(0);
        s.none.emplace();
        const common::native_address where(s.listener.local_address());
        REQUIRE(::connect(client.get(), where.data(), where.size) == 0);
        const auto told = co_await first;
        CHECK(told == std::errc::too_many_files_open);
        CHECK_FALSE(second.is_done());
        CHECK(loop::current().counters().armed_timers == 1);
        s.none.reset();
        c.now += 200ms;
        const auto end = co_await second;
        CHECK_FALSE(end);
    };
    run(by_hand(c), main);
}

TEST_CASE("RES-01 a close by this loop ends the pause also while nobody waits: the next accept is made at once") {
    const auto main = []() -> task<> {
        server s;
        auto spare = co_await connected_pair();
        co_await s.run_out(2);
        spare.ours.close();
        auto next = co_await s.begin_accept(0);
        const auto end = co_await next;
        CHECK_FALSE(end);
    };
    run(main);
}

TEST_CASE("RES-01 a pause whose time has passed while nobody waited holds up no accept [rt]") {
    const auto main = []() -> task<> {
        server s;
        co_await s.run_out(2);
        co_await sleep_for(120ms);   // the pause is 100 ms
        s.none.reset();              // not closed by the loop
        auto next = co_await s.begin_accept(0);
        const auto end = co_await next;
        CHECK_FALSE(end);
    };
    run(main);
}

TEST_CASE("RES-01 a descriptor that is closed wakes those who wait for one in the next turn, not when the pause is over") {
    const auto main = []() -> task<> {
        server s;
        auto spare = co_await connected_pair();
        co_await s.run_out(2);
        auto waits = co_await s.begin_accept(1);
        spare.ours.close();
        co_await yield();
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 0);
        const auto end = co_await waits;
        CHECK_FALSE(end);
    };
    run(main);
}

TEST_CASE("RES-01 without memory for the timer of the pause the accept is made at once, and is told what is missing") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    const auto main = []() -> task<> {
        bool met = false;
        // However many timers the queue has room for, one more needs memory.
        std::vector<callback_handle> timers;
        for (int i = 0; i < 70 && !met; ++i) {
            server s;
            co_await s.run_out(1);
            const auto armed = loop::current().counters().armed_timers;
            const auto accepts = [&]() -> task<> { (void)co_await as_result(s.listener.accept()); };
            auto next = spawn(accepts);
            std::optional<failing_allocation> failing(1);
            co_await yield();
            met = failing->has_failed();
            failing.reset();
            co_await yield();
            co_await yield();
            if (met) {
                CHECK(loop::current().counters().armed_timers == armed);
                CHECK(next.is_done());
            }
            next.cancel();
            (void)co_await settled(next);
            timers.push_back(loop::current().call_after(1h, [] {}));
        }
        CHECK(met);
        for (callback_handle& h : timers)
            h.cancel();
    };
    run(main);
}

TEST_CASE("RES-02 out of descriptors a connect and a bind are errors of their own, and the loop goes on") {
    const auto main = []() -> task<> {
        const auto where = tcp_listener::bind(loopback());
        {
            const no_descriptors none;
            const auto connected = co_await as_result(connect(where.local_address()));
            CHECK(connected.error() == std::errc::too_many_files_open);
            CHECK_THROWS_AS(tcp_listener::bind(loopback()), std::system_error);
        }
        const auto connected = co_await as_result(connect(where.local_address()));
        CHECK(connected.has_value());
    };
    run(main);
}

#endif
