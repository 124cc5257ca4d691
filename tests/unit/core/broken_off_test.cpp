// broken_off_test.cpp - an await that throws after its task has begun to wait: nothing that it waited for has the task in its queue.
#include <unit/broken_off.hpp>

#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a task whose await was broken off has left the queue of what it waited for: that wakes others, not the task") {
    std::string where;
    bool other_woken = false;
    run([&]() -> task<> {
        event e;
        auto broken = spawn([&e]() -> task<> {
            const auto waits = [&e]() -> task<> { co_await broken_off(e.wait()); };
            const auto left = co_await settled(waits());
            CHECK(end_of(left) == "broken off");
            co_await sleep_for(1h);
        });
        auto other = spawn([&]() -> task<> {
            co_await e.wait();
            other_woken = true;
        });
        co_await yield();
        e.set();
        co_await other;
        CHECK_FALSE(broken.is_done());
        broken.set_name("broken");
        for (const task_info& t : task_tree(loop::current()))
            if (t.name == "broken")
                where = t.waits_for;
        broken.cancel();
        (void)co_await settled(broken);
        CHECK(broken.is_cancelled());
    });
    CHECK(other_woken);
    CHECK(where == "sleep");
}

TEST_CASE("a simulated thread's call whose await was broken off is not made once the run has given up, and is freed") {
    lifetimes of_call;
    bool made = false;
    event never;
    hook_log log;
    run(run_options().with(make_sim()).shutdown_grace(0ms).on_exception(log.hook()), [&]() -> task<> {
        spawn([&]() -> task<> {
            (void)co_await settled(never.wait());   // asked to end, in the turn in which the grace is over
            const auto calls = [&]() -> task<> {
                const auto call = [&made, local = counted(of_call)] { made = true; };
                co_await broken_off(to_thread(call));
            };
            const auto left = co_await settled(calls());
            CHECK(end_of(left) == "broken off");
            co_await never.wait();
        });
        co_await yield();
    });
    CHECK_FALSE(made);
    CHECK(of_call.made > 0);
    CHECK(of_call.alive() == 0);
}
