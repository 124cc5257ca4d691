// timer_test.cpp - deadlines: their order, that they are never early, and what cancelling one leaves.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>
#include <support/virtual_time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMR-01 timers fire in the order of their deadlines, not of their creation") {
    trace t;
    run(virtual_time(), [&]() -> task<> {
        const auto start = loop::current().time();
        const auto sleeper = [&t, start](int milliseconds) -> task<> {
            co_await sleep_until(start + std::chrono::milliseconds(milliseconds));
            t.note(std::to_string(milliseconds));
        };
        auto c = spawn(sleeper, 30);
        auto a = spawn(sleeper, 10);
        auto b = spawn(sleeper, 20);
        loop::current().call_at(start + 25ms, [&t] { t.note("25"); });
        co_await a;
        co_await b;
        co_await c;
    });
    CHECK(t.joined() == "10 20 25 30");
}

TEST_CASE("TMR-01 a sleep is over in the turn after its timer's, exactly at its deadline if nothing else is to do") {
    run(virtual_time(), []() -> task<> {
        const auto deadline = loop::current().time() + 5ms;
        std::uint64_t fired = 0;
        loop::current().call_at(deadline, [&fired] { fired = turn_number(); });
        co_await sleep_until(deadline);
        CHECK(loop::current().time() == deadline);
        CHECK(turn_number() == fired + 1);
    });
}

TEST_CASE("TMR-01 no sleep is over early by the system's clock [rt]") {
    run([]() -> task<> {
        for (int i = 0; i < 20; ++i) {
            const auto began = std::chrono::steady_clock::now();
            const auto length = 100us * i + 1ns;
            co_await sleep_for(length);
            CHECK(std::chrono::steady_clock::now() - began >= length);
        }
    });
}

TEST_CASE("TMR-02 a thousand equal deadlines fire in the order of their creation") {
    std::vector<int> order;
    run(virtual_time(), [&]() -> task<> {
        const auto deadline = loop::current().time() + 5ms;
        const auto sleeper = [&order, deadline](int i) -> task<> {
            co_await sleep_until(deadline);
            order.push_back(i);
        };
        std::vector<task_handle<>> all;
        for (int i = 0; i < 1000; ++i)
            all.push_back(spawn(sleeper, i));
        for (auto& h : all)
            co_await h;
    });
    CHECK(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));

    order.clear();
    run(virtual_time(), [&]() -> task<> {
        const auto deadline = loop::current().time() + 5ms;
        for (int i = 0; i < 1000; ++i)
            loop::current().call_at(deadline, [&order, i] { order.push_back(i); });
        co_await sleep_until(deadline);
    });
    CHECK(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("TMR-03 sleep_for(0) resumes in the next turn, as yield does") {
    run([]() -> task<> {
        const auto before = turn_number();
        co_await sleep_for(0s);
        CHECK(turn_number() == before + 1);
        co_await yield();
        CHECK(turn_number() == before + 2);
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("TMR-04 a negative delay or a deadline in the past is like zero") {
    run([]() -> task<> {
        const auto before = turn_number();
        co_await sleep_for(-1h);
        CHECK(turn_number() == before + 1);
        co_await sleep_for(std::chrono::nanoseconds::min());
        CHECK(turn_number() == before + 2);
        co_await sleep_until(loop::current().time());
        CHECK(turn_number() == before + 3);
        co_await sleep_until(time_point::min());
        CHECK(turn_number() == before + 4);

        trace t;
        const auto mark = [&t, from = turn_number()](const char* name) { t.note(name + std::to_string(turn_number() - from)); };
        loop::current().call_after(-1h, [&] { mark("after"); });
        loop::current().call_after(0s, [&] { mark("zero"); });
        loop::current().call_at(time_point::min(), [&] { mark("min"); });
        loop::current().call_soon([&] { mark("soon"); });
        co_await yield();
        co_await yield();
        // Ready entries first, then timers by deadline: all of them in the next turn.
        CHECK(t.joined() == "soon1 min1 after1 zero1");
    });
}

TEST_CASE("TMR-05 a sleep that is cancelled ends at once, and its timer is gone") {
    trace t;
    run(virtual_time(), [&]() -> task<> {
        const auto sleeper = [&t]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            t.note((end.is_cancelled() ? "cancelled" : "slept") + std::to_string(turn_number()));
        };
        auto h = spawn(sleeper);
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1);
        CHECK(h.cancel());
        CHECK(loop::current().counters().armed_timers == 0);
        co_await h;

        lifetimes of_capture;
        auto timer = loop::current().call_after(1h, [captured = counted(of_capture)] {});
        CHECK(loop::current().counters().armed_timers == 1);
        CHECK(timer.cancel());
        CHECK(of_capture.alive() == 0);
        CHECK_FALSE(timer.cancel());
    });
    CHECK(t.joined() == "cancelled3");
}

TEST_CASE("TMR-05 a million timers made and cancelled beside a few that stay take no memory that grows") {
    const auto count = scaled(1'000'000);
    run(virtual_time(), [&]() -> task<> {
        std::vector<callback_handle> staying;
        for (int i = 0; i < 100; ++i)
            staying.push_back(loop::current().call_after(1h, [] {}));
        const auto make_and_cancel = [&] {
            for (std::size_t i = 0; i < count; ++i)
                loop::current().call_after(std::chrono::milliseconds(1000 + i), [] {}).cancel();
        };
        make_and_cancel();
        co_await yield();
        const auto base = allocated_bytes();
        make_and_cancel();
        CHECK(allocated_bytes() < base + 100 * 100 + 10'000);
        co_await yield();
        // Whether it takes them out or purges them later: what stays in the heap is bounded by what is alive.
        CHECK(loop::current().counters().armed_timers <= 300);
        for (callback_handle& h : staying)
            h.cancel();
    });
}

TEST_CASE("TMR-06 a timer armed anew without delay for a thousand turns doesn't keep a readable socket waiting") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        int fired = 0;
        struct rearming {
            int& fired;
            void operator()() const {
                if (++fired < 1000)
                    loop::current().call_after(0s, rearming{fired});
            }
        };
        loop::current().call_after(0s, rearming{fired});

        std::array<std::byte, 1> byte{};
        int most = 0;
        while (fired < 1000) {
            co_await pair.theirs.write(byte);
            const int before = fired;
            const auto count = co_await pair.ours.read(byte);
            REQUIRE(count == 1);
            most = std::max(most, fired - before);
            co_await yield();
        }
        CHECK(most <= 64);
    });
}

TEST_CASE("TMR-07 a timer that another one cancels in the same pass doesn't fire") {
    trace t;
    run(virtual_time(), [&]() -> task<> {
        const auto deadline = loop::current().time() + 2ms;
        lifetimes of_capture;
        callback_handle second;
        loop::current().call_at(deadline, [&] {
            t.note("first");
            CHECK(second.cancel());
            CHECK(of_capture.alive() == 0);
        });
        second = loop::current().call_at(deadline, [&t, captured = counted(of_capture)] { t.note("second"); });
        loop::current().call_at(deadline, [&] { t.note("third"); });
        co_await sleep_until(deadline);
    });
    CHECK(t.joined() == "first third");
}

TEST_CASE("TMR-07 a sleeper that a timer of the same pass cancels is cancelled, not woken") {
    trace t;
    run(virtual_time(), [&]() -> task<> {
        const auto deadline = loop::current().time() + 2ms;
        task_handle<> h;
        const auto sleeper = [&t, deadline]() -> task<> {
            const auto end = co_await settled(sleep_until(deadline));
            t.note(end.is_cancelled() ? "cancelled" : "slept");
        };
        loop::current().call_at(deadline, [&] { h.cancel(); });
        h = spawn(sleeper);
        co_await h;
    });
    CHECK(t.joined() == "cancelled");
}

TEST_CASE("TMR-08 after the loop was blocked a new timer still has its full delay [rt]") {
    run([]() -> task<> {
        std::this_thread::sleep_for(200ms);   // [rt] the step that blocks the loop
        const auto armed = std::chrono::steady_clock::now();
        co_await sleep_for(50ms);
        CHECK(std::chrono::steady_clock::now() - armed >= 50ms);
    });
    run([]() -> task<> {
        std::chrono::steady_clock::time_point fired;
        event has_fired;
        std::this_thread::sleep_for(200ms);   // [rt]
        const auto armed = std::chrono::steady_clock::now();
        loop::current().call_after(50ms, [&] {
            fired = std::chrono::steady_clock::now();
            has_fired.set();
        });
        co_await has_fired.wait();
        CHECK(fired - armed >= 50ms);
    });
}

TEST_CASE("TMR-09 a timer without delay armed while timers fire is due in the next turn") {
    trace t;
    run([&]() -> task<> {
        const auto mark = [&t, from = turn_number()](const char* name) { t.note(name + std::to_string(turn_number() - from)); };
        loop::current().call_after(0s, [&] {
            mark("a");
            loop::current().call_after(0s, [&] {
                mark("c");
                loop::current().call_at(time_point::min(), [&] { mark("d"); });
            });
        });
        loop::current().call_after(0s, [&] { mark("b"); });
        for (int i = 0; i < 4; ++i)
            co_await yield();
    });
    CHECK(t.joined() == "a1 b1 c2 d3");
}

TEST_CASE("TMR-10 a deadline between two ticks of whatever clock the system waits by costs at most one wait more") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        for (const auto delay : {1us, 7us, 100us, 999us, 1000us, 1001us, 1500us, 1999us, 2001us}) {
            for (int i = 0; i < 5; ++i) {
                const auto deadline = loop::current().time() + delay + std::chrono::nanoseconds(i);
                const auto waits = calls.waits.load();
                const auto blocking = calls.blocking_waits.load();
                co_await sleep_until(deadline);
                CHECK(loop::current().time() >= deadline);
                CHECK(calls.blocking_waits - blocking <= 2);
                CHECK(calls.waits - waits <= 3);   // one may belong to the turn of the resumption
            }
        }
    });
}

namespace {

/// A sleep that must not be over before it is cancelled.
template <class Sleep>
task<> outlasts(Sleep make_sleep) {
    const auto sleeper = [make_sleep]() -> task<> { co_await make_sleep(); };
    auto h = spawn(sleeper);
    co_await yield();
    co_await sleep_for(1ms);
    CHECK_FALSE(h.is_done());
    CHECK(loop::current().counters().armed_timers == 1);
    CHECK(h.cancel());
    const auto left = co_await settled(h);
    CHECK(left.template threw<task_cancelled>());
    CHECK(loop::current().counters().armed_timers == 0);
}

template <class Duration>
task<> never_fires(Duration d) {
    const auto make_sleep = [d] { return sleep_for(d); };
    co_await outlasts(make_sleep);

    bool fired = false;
    auto timer = loop::current().call_after(d, [&fired] { fired = true; });
    co_await sleep_for(1ms);
    CHECK_FALSE(fired);
    CHECK(timer.cancel());

    const auto value = []() -> task<int> {
        co_await yield();
        co_return 7;
    };
    const int in_time = co_await timeout(d, value());
    CHECK(in_time == 7);
    CHECK(loop::current().counters().armed_timers == 0);
}

}

TEST_CASE("TMR-11 delays of any length don't fire early, don't overflow, and can be cancelled") {
    run(virtual_time(), []() -> task<> {
        namespace chrono = std::chrono;
        co_await never_fires(chrono::nanoseconds::max());
        co_await never_fires(chrono::milliseconds::max());
        co_await never_fires(chrono::hours::max());
        co_await never_fires(chrono::days(25));
        co_await never_fires(chrono::milliseconds(std::int64_t(1) << 31));
        co_await never_fires(chrono::milliseconds(std::int64_t(1) << 32));
        co_await never_fires(chrono::years(300));
        co_await never_fires(chrono::duration<double>(1e300));
        co_await never_fires(chrono::duration<double>(std::numeric_limits<double>::infinity()));
        const auto until_the_end = [] { return sleep_until(time_point::max()); };
        co_await outlasts(until_the_end);
    });
}

TEST_CASE("TMR-13 a delay that is not a number is refused wherever one is given; an infinite one never ends") {
    run(virtual_time(), []() -> task<> {
        using seconds = std::chrono::duration<double>;
        const seconds not_a_number(std::numeric_limits<double>::quiet_NaN());
        const auto refuses = [](const auto& call) { return usage_of(call) == errc::invalid_argument; };
        CHECK(refuses([&] { (void)sleep_for(not_a_number); }));
        CHECK(refuses([&] { (void)timeout(not_a_number, yield()); }));
        CHECK(refuses([&] { (void)timeout_scope(not_a_number); }));
        CHECK(refuses([&] { (void)timeout_scope().reschedule_after(not_a_number); }));
        CHECK(refuses([&] { (void)loop::current().call_after(not_a_number, [] {}); }));
        CHECK(refuses([&] { (void)every(not_a_number); }));
        CHECK(loop::current().counters().armed_timers == 0);
        co_await never_fires(seconds(std::numeric_limits<double>::infinity()));
    });
}
