// group_spawn_test.cpp - who may start children in a group, and until when.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/lifetimes.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GRP-09 spawn into a group that has ended is refused; what was to be started is destroyed") {
    lifetimes of_argument;
    run([&]() -> task<> {
        std::optional<errc> refused;
        const auto takes = [](counted) -> task<> { co_return; };
        const auto body = [&](task_group& g) -> task<> {
            // One turn after the last child's end, one before the group's.
            auto last = g.spawn(turns(1));
            last.on_done([&] { refused = usage_of([&] { g.spawn(takes, counted(of_argument)); }); });
            co_return;
        };
        co_await with_task_group(body);
        CHECK(refused == errc::group_not_active);
        CHECK(of_argument.made > 0);
        CHECK(of_argument.alive() == 0);
    });
}

TEST_CASE("GRP-09 spawn into a group that is ending after a failure is refused, by its body and by a child") {
    lifetimes of_argument;
    run([&]() -> task<> {
        int refused = 0;
        const auto takes = [](counted) -> task<> { co_return; };
        const auto tries = [&](task_group& g) -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            refused += usage_of([&] { g.spawn(takes, counted(of_argument)); }) == errc::group_not_active ? 1 : 0;
            refused += usage_of([&] { g.spawn(takes(counted(of_argument))); }) == errc::group_not_active ? 1 : 0;
            left.rethrow();
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(tries, std::ref(g));
            g.spawn(fails("E"));
            co_await tries(g);
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E]");
        CHECK(refused == 4);
        CHECK(loop::current().counters().tasks == 1);
    });
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("GRP-15 a child may start a sibling while the group waits; it is waited for as well") {
    trace t;
    run([&]() -> task<> {
        const auto grandchild = [&]() -> task<> {
            co_await sleep_for(1ms);
            t.note("sibling");
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn([&]() -> task<> {
                co_await yield();
                g.spawn(grandchild);
            });
            co_return;
        };
        co_await with_task_group(body);
        t.note("left");
    });
    CHECK(t.joined() == "sibling left");
}

TEST_CASE("GRP-18 any task of the loop may spawn into a group; the child is the group's") {
    trace t;
    run([&]() -> task<> {
        task_group* group = nullptr;
        event may_spawn;
        auto stranger = spawn([&]() -> task<> {
            co_await may_spawn.wait();
            group->spawn(fails_when_asked("E2"));
            group->spawn(asleep(t, "child"));
            group->spawn(fails("E1", 1));
        });
        const auto body = [&](task_group& g) -> task<> {
            group = &g;
            may_spawn.set();
            co_await asleep(t, "body");
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E1 E2]");
        CHECK(end_of(stranger) == "value");
    });
    CHECK(t.joined() == "child:cancelled6 body:cancelled6");
}

TEST_CASE("GRP-18 another loop's task, and a thread without one, are refused") {
    lifetimes of_argument;
    run([&]() -> task<> {
        const auto takes = [](counted) -> task<> { co_return; };
        const auto body = [&](task_group& g) -> task<> {
            std::optional<errc> with_loop;
            std::optional<errc> without;
            const auto tries = [&] { return usage_of([&] { g.spawn(takes, counted(of_argument)); }); };
            std::thread([&] {
                without = tries();
                run([&]() -> task<> {
                    with_loop = tries();
                    co_return;
                });
            }).join();
            CHECK(with_loop == errc::foreign_loop);
            CHECK(without == errc::foreign_loop);
            co_return;
        };
        co_await with_task_group(body);
        CHECK(loop::current().counters().tasks == 1);
    });
    CHECK(of_argument.alive() == 0);
}
