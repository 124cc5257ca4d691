// ended_loop_test.cpp - handles of tasks and callbacks that are used where their loop does not run, or has gone.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>

#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<int> five() { co_return 5; }

task<task_handle<int>> ended_task() {
    auto h = spawn(five);
    co_await h;
    co_return h;
}

}

TEST_CASE("TSK-31 the value of a task outlives its loop, and what can't run any more is refused at once") {
    const task_handle<int> h = run(ended_task);
    CHECK(h.get() == 5);
    bool ran = false;
    const auto watch = [&] { h.on_done([&ran] { ran = true; }); };
    CHECK(usage_of(watch) == errc::closed_loop);
    CHECK(usage_of([&] { as_completed(std::vector{h}); }) == errc::closed_loop);
    CHECK_FALSE(h.cancel());
    run([&]() -> task<> {
        CHECK(usage_of(watch) == errc::foreign_loop);
        CHECK(usage_of([&] { as_completed(std::vector{h}); }) == errc::foreign_loop);
        const int value = co_await h;
        CHECK(value == 5);
    });
    CHECK_FALSE(ran);
}

TEST_CASE("TSK-32 on_done of a task that ended in one run of a runner runs in its next one") {
    runner r;
    const task_handle<int> h = r.run(ended_task);
    bool ran = false;
    h.on_done([&ran] { ran = true; });
    r.run([]() -> task<> { co_await yield(); });
    CHECK(ran);
    r.close();
    CHECK(usage_of([&] { h.on_done([] {}); }) == errc::closed_loop);
}

TEST_CASE("CBK-21 a timer is cancelled between two runs of a runner, and inside another loop's") {
    runner first;
    bool ran = false;
    const auto arm = [&] { return first.current_loop()->call_after(1ms, [&ran] { ran = true; }); };
    auto between = arm();
    auto inside = arm();
    CHECK(first.current_loop()->counters().armed_timers == 2);
    CHECK(between.cancel());
    CHECK(first.current_loop()->counters().armed_timers == 1);
    run([&]() -> task<> {
        auto own = loop::current().call_after(1h, [] {});
        CHECK(inside.cancel());
        CHECK(loop::current().counters().armed_timers == 1);
        own.cancel();
        co_return;
    });
    CHECK(first.current_loop()->counters().armed_timers == 0);
    first.run([]() -> task<> { co_await sleep_for(2ms); });
    CHECK_FALSE(ran);
}
