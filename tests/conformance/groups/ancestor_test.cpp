// ancestor_test.cpp - children that await a task which waits for them: a ring that a request breaks.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/turns.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Awaits a task that can't end before this one.
task<> joins(const task_handle<>& ancestor) {
    co_await yield();
    co_await ancestor;
}

using owner = std::function<task<>(const task_handle<>& self)>;

std::vector<std::pair<std::string, owner>> owners() {
    return {
        {"gather", [](const task_handle<>& self) -> task<> { co_await gather(joins(self), joins(self)); }},
        {"race", [](const task_handle<>& self) -> task<> { (void)co_await race(joins(self), joins(self)); }},
        {"gather_settled", [](const task_handle<>& self) -> task<> { (void)co_await gather_settled(joins(self), joins(self)); }},
        {"group",
         [](const task_handle<>& self) -> task<> {
             const auto body = [&self](task_group& g) -> task<> {
                 g.spawn(joins(self));
                 co_return;
             };
             co_await with_task_group(body);
         }},
        {"start",
         [](const task_handle<>& self) -> task<> {
             const auto body = [&self](task_group& g) -> task<> {
                 const auto child = [&self](started<>) -> task<> { co_await joins(self); };
                 co_await g.start(child);
             };
             co_await with_task_group(body);
         }},
        {"grandchild",
         [](const task_handle<>& self) -> task<> {
             const auto child = [&self]() -> task<> { co_await gather(joins(self), sleep_for(1h)); };
             co_await gather(child, sleep_for(1h));
         }},
        {"a friend's join",
         [](const task_handle<>& self) -> task<> {
             const auto outside = spawn(joins(self));
             const auto child = [&outside]() -> task<> { co_await outside; };
             co_await gather(child, sleep_for(1h));
         }},
    };
}

}

TEST_CASE("GRP-28 a child that awaits its own ancestor: a request ends both, within a few turns") {
    for (const auto& [name, make] : owners()) {
        INFO(name);
        run([&join_self = make]() -> task<> {
            task_handle<> ancestor;
            ancestor = spawn([&]() -> task<> { co_await join_self(ancestor); });
            for (int i = 0; i < 8; ++i)
                co_await yield();
            CHECK_FALSE(ancestor.is_done());
            ancestor.cancel();
            const auto asked_at = turn_number();
            const auto ended = co_await wait(ancestor);
            CHECK(ancestor.is_cancelled());
            CHECK(turn_number() - asked_at < 20);
            ancestor = {};
        });
    }
}

TEST_CASE("GRP-29 a request to a child that awaits its own ancestor ends the child alone") {
    run([]() -> task<> {
        task_handle<> ancestor;
        task_handle<> child;
        ancestor = spawn([&]() -> task<> {
            const auto body = [&](task_group& g) -> task<> {
                child = g.spawn(joins(ancestor));
                co_return;
            };
            co_await with_task_group(body);
        });
        for (int i = 0; i < 5; ++i)
            co_await yield();
        child.cancel();
        co_await ancestor;
        CHECK(child.is_cancelled());
        CHECK(ancestor.cancelling() == 0);
        ancestor = {};
    });
}
