// event_test.cpp - a flag that tasks wait for.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/operation_canceled.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Waits, and notes name and turn.
task<> waits(trace& t, event& e, std::string name) {
    co_await e.wait();
    t.note(name + std::to_string(turn_number()));
}

}

TEST_CASE("SYN-08 set wakes all ten waiters in order of arrival in the next turn, also if it is cleared at once") {
    for (const bool cleared : {false, true}) {
        trace t;
        run([&]() -> task<> {
            event e;
            CHECK_FALSE(e.is_set());
            std::vector<task_handle<>> all;
            for (int i = 0; i < 10; ++i)
                all.push_back(spawn(waits(t, e, std::string(1, static_cast<char>('a' + i)))));
            co_await yield();
            e.set();
            CHECK(e.is_set());
            CHECK(t.empty());
            if (cleared)
                e.clear();
            const auto ended = co_await wait(all);
            CHECK(e.is_set() == !cleared);
        });
        CHECK(t.joined() == "a3 b3 c3 d3 e3 f3 g3 h3 i3 j3");
    }
}

TEST_CASE("SYN-08 who comes after a clear waits for the next set; a set event is no wait at all") {
    trace t;
    run([&]() -> task<> {
        event e;
        e.set();
        e.set();
        const auto before = turn_number();
        co_await e.wait();
        CHECK(turn_number() == before);

        e.clear();
        auto first = spawn(waits(t, e, "first"));
        co_await yield();
        e.set();
        e.clear();
        auto second = spawn(waits(t, e, "second"));
        co_await yield();
        co_await yield();
        CHECK(first.is_done());
        CHECK_FALSE(second.is_done());
        e.set();
        co_await second;
    });
    CHECK(t.joined() == "first3 second5");
}

TEST_CASE("SYN-08 a waiter that waits again at once on a set event goes on, on a cleared one it queues up behind") {
    trace t;
    run([&]() -> task<> {
        event e;
        const auto waits_twice = [&](std::string name) -> task<> {
            co_await waits(t, e, name);
            e.clear();
            co_await waits(t, e, name);
        };
        auto a = spawn(waits_twice, "a");
        auto b = spawn(waits_twice, "b");
        co_await yield();
        e.set();
        co_await yield();
        co_await yield();
        e.set();
        co_await b;
        CHECK(a.is_done());
    });
    CHECK(t.joined() == "a3 b3 a5 b5");
}

TEST_CASE("SYN-08 a waiter cancelled before the set leaves the queue, after it the request wins; the others are woken as ever") {
    trace t;
    run([&]() -> task<> {
        event e;
        std::vector<task_handle<>> all;
        for (const char* const name : {"a", "b", "c", "d"})
            all.push_back(spawn(waits(t, e, name)));
        co_await yield();
        all[0].cancel();
        e.set();
        all[2].cancel();
        const auto ended = co_await wait(all);
        CHECK(end_of(all[0]) == "cancelled");
        CHECK(end_of(all[1]) == "value");
        CHECK(end_of(all[2]) == "cancelled");
        CHECK(end_of(all[3]) == "value");
    });
    CHECK(t.joined() == "b3 d3");
}

TEST_CASE("SYN-08 a waiter that was passed through the queue for its budget keeps what it saw, though the event is cleared") {
    run([]() -> task<> {
        event e;
        e.set();
        co_await yield();
        for (int i = 0; i < 64; ++i)
            co_await e.wait();
        loop::current().call_soon([&] { e.clear(); });
        const auto before = turn_number();
        co_await e.wait();
        CHECK(turn_number() == before + 1);
        CHECK_FALSE(e.is_set());
    });
}

TEST_CASE("SYN-08 the wait for an event may be made before it is awaited, and moved") {
    run([]() -> task<> {
        event e;
        auto made = e.wait();
        auto moved = std::move(made);
        loop::current().call_soon([&] { e.set(); });
        co_await std::move(moved);
        CHECK(e.is_set());
    });
}

TEST_CASE("SYN-17 an event destroyed while tasks wait is reported; its waiters get operation_canceled in the next turn") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto e = std::make_unique<event>();
        std::vector<task_handle<>> all;
        for (int i = 0; i < 3; ++i)
            all.push_back(spawn([&e]() -> task<> { co_await e->wait(); }));
        co_await yield();
        all[1].cancel();
        e.reset();
        REQUIRE(log.size() == 1);
        CHECK(usage_of(log.reports()[0].error).has_value());
        CHECK(log.reports()[0].what.find("event") != std::string::npos);
        co_await yield();
        CHECK(is_operation_canceled(all[0].error()));
        CHECK(end_of(all[1]) == "cancelled");
        CHECK(is_operation_canceled(all[2].error()));
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-17 an event destroyed after it was set, before its waiters resume, is no fault") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto e = std::make_unique<event>();
        auto waiter = spawn([&e]() -> task<> { co_await e->wait(); });
        co_await yield();
        e->set();
        e.reset();
        co_await waiter;
    });
    CHECK(log.empty());
}

TEST_CASE("SYN-20 an event belongs to no loop before somebody has waited in it, then to that loop for life") {
    event e;
    CHECK_FALSE(e.is_set());
    e.set();
    e.clear();
    run([&]() -> task<> {
        e.set();
        co_await e.wait();   // ready: nobody was suspended
        e.clear();
    });
    run([&]() -> task<> {
        auto waiter = spawn([&]() -> task<> { co_await e.wait(); });
        co_await yield();
        e.set();
        co_await waiter;
        e.clear();
    });
    const auto foreign = [&]() -> task<> {
        CHECK(usage_of([&] { e.set(); }) == errc::foreign_loop);
        CHECK_FALSE(e.is_set());
        const auto left = co_await settled(e.wait());
        CHECK(usage_of(left) == errc::foreign_loop);
        co_await yield();
    };
    run(foreign);
    CHECK(usage_of([&] { e.set(); }) == errc::foreign_loop);
}

TEST_CASE("SYN-20 a set event of another loop is refused as well") {
    event e;
    run([&]() -> task<> {
        auto waiter = spawn([&]() -> task<> { co_await e.wait(); });
        co_await yield();
        e.set();
        co_await waiter;
    });
    run([&]() -> task<> {
        const auto left = co_await settled(e.wait());
        CHECK(usage_of(left) == errc::foreign_loop);
    });
}

TEST_CASE("SYN-20 another thread's set is refused, with a loop of its own or without; the waiter goes on waiting") {
    run([]() -> task<> {
        event e;
        auto waiter = spawn([&]() -> task<> { co_await e.wait(); });
        co_await yield();
        std::optional<errc> without;
        std::optional<errc> with_loop;
        std::thread([&] {
            without = usage_of([&] { e.set(); });
            run([&]() -> task<> {
                with_loop = usage_of([&] { e.set(); });
                co_return;
            });
        }).join();
        CHECK(without == errc::foreign_loop);
        CHECK(with_loop == errc::foreign_loop);
        CHECK_FALSE(e.is_set());
        co_await yield();
        CHECK_FALSE(waiter.is_done());
        e.set();
        co_await waiter;
    });
}
