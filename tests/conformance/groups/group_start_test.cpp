// group_start_test.cpp - children of a group that say when they are ready.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> serve(started<std::string> ready, trace& t, std::string name) {
    co_await yield();
    ready(name + "-port");
    const auto left = co_await settled(sleep_for(1h));
    t.note(name + "-ended");
    left.rethrow();
}

/// What start() of this child ends with, and whether the group has noticed.
template <class F>
task<outcome<void>> start_of(F f) {
    outcome<void> left;
    co_await with_task_group([&](task_group& g) -> task<> { left = co_await settled(g.start(std::move(f))); });
    co_return left;
}

}

TEST_CASE("task_group::start waits until the child is ready, gives what it says, and the child goes on in the group") {
    run([]() -> task<> {
        trace t;
        co_await with_task_group([&t](task_group& g) -> task<> {
            const std::string a = co_await g.start<std::string>(serve, std::ref(t), "a");
            const std::string b = co_await g.start<std::string>(serve, std::ref(t), "b");
            t.note(a);
            t.note(b);
            g.cancel();
        });
        CHECK(t.joined() == "a-port b-port a-ended b-ended");
    });
}

TEST_CASE("what ends a child before it is ready leaves start(), and the group goes on") {
    run([]() -> task<> {
        const auto failed = co_await start_of([](started<>) -> task<> {
            co_await yield();
            throw std::runtime_error("E");
        });
        CHECK(failed.threw<std::runtime_error>());

        const auto silent = co_await start_of([](started<>) -> task<> { co_return; });
        CHECK(usage_of(silent) == errc::no_value);

        const auto cancels_itself = co_await start_of([](started<>) -> task<> {
            this_task::handle().cancel();
            co_await yield();
        });
        CHECK(cancels_itself.threw<task_cancelled>());

        const auto not_even_a_task = co_await start_of([](started<>) -> task<> {
            throw std::runtime_error("at once");
            co_return;
        });
        CHECK(not_even_a_task.threw<std::runtime_error>());
    });
}

TEST_CASE("what a child ends with after it was ready is the group's") {
    run([]() -> task<> {
        const auto left = co_await settled(with_task_group([](task_group& g) -> task<> {
            co_await g.start([](started<> ready) -> task<> {
                ready();
                co_await yield();
                throw std::runtime_error("E");
            });
            co_await sleep_for(1h);
        }));
        CHECK(left.threw<exception_group>());
    });
}

TEST_CASE("a request to start() goes to the child, and is delivered when that has ended") {
    run([]() -> task<> {
        trace t;
        auto owner = spawn([&t]() -> task<> {
            co_await with_task_group([&t](task_group& g) -> task<> {
                const auto left = co_await settled(g.start([&t](started<>) -> task<> {
                    const auto slept = co_await settled(sleep_for(1h));
                    co_await yield();
                    t.note("child-ended");
                    slept.rethrow();
                }));
                t.note(left.is_cancelled() ? "cancelled" : "other");
                left.rethrow();
            });
        });
        co_await yield();
        co_await yield();
        owner.cancel();
        const auto left = co_await settled(owner);
        CHECK(owner.is_cancelled());
        CHECK(t.joined() == "child-ended cancelled");
        (void)left;
    });
}

TEST_CASE("a group that is cancelled before the child's first step: the child never runs, and start() ends") {
    run([]() -> task<> {
        trace t;
        co_await with_task_group([&t](task_group& g) -> task<> {
            auto cancels = spawn([&g]() -> task<> {
                g.cancel();
                co_return;
            });
            const auto left = co_await settled(g.start([&t](started<>) -> task<> {
                t.note("ran");
                co_return;
            }));
            t.note(left.is_cancelled() ? "cancelled" : "other");
            left.rethrow();
        });
        CHECK(t.joined() == "cancelled");
    });
}

TEST_CASE("a request that comes when the child is ready loses: start() gives the value, the next await is cancelled") {
    run([]() -> task<> {
        trace t;
        auto owner = spawn([&t]() -> task<> {
            co_await with_task_group([&t](task_group& g) -> task<> {
                auto starter = this_task::handle();
                const int value = co_await g.start<int>([&starter](started<int> ready) -> task<> {
                    ready(7);
                    starter.cancel();
                    co_await sleep_for(1h);
                });
                t.note(std::to_string(value));
                const auto next = co_await settled(yield());
                t.note(next.is_cancelled() ? "cancelled" : "other");
                next.rethrow();
            });
        });
        (void)co_await settled(owner);
        CHECK(owner.is_cancelled());
        CHECK(t.joined() == "7 cancelled");
    });
}

TEST_CASE("ready is said once, and start() into a group that has ended is refused") {
    run([]() -> task<> {
        co_await with_task_group([](task_group& g) -> task<> {
            co_await g.start([](started<> ready) -> task<> {
                ready();
                CHECK_THROWS_AS(ready(), usage_error);
                co_return;
            });
            g.cancel();
            const auto refused = co_await settled(g.start([](started<> ready) -> task<> {
                ready();
                co_return;
            }));
            CHECK(refused.threw<usage_error>());
        });
    });
}

TEST_CASE("a child may be ready before its first step, and may give its started away") {
    run([]() -> task<> {
        co_await with_task_group([](task_group& g) -> task<> {
            const auto at_the_call = [](started<int> ready) -> task<> {
                ready(7);
                return []() -> task<> { co_return; }();
            };
            const int called = co_await g.start<int>(at_the_call);
            CHECK(called == 7);

            std::optional<started<int>> kept;
            auto later = spawn([&kept]() -> task<> {
                while (!kept)
                    co_await yield();
                (*kept)(8);
                CHECK_THROWS_AS((*kept)(9), usage_error);
                kept.reset();
            });
            const auto gives_away = [&kept](started<int> ready) -> task<> {
                kept.emplace(std::move(ready));
                co_await sleep_for(1h);
            };
            const int told = co_await g.start<int>(gives_away);
            CHECK(told == 8);
            co_await later;
            g.cancel();
        });
    });
}

TEST_CASE(
    "a child that fails in the turn of a request to its starter: start() throws the error, and the request is the next suspension's") {
    run([]() -> task<> {
        trace t;
        auto owner = spawn([&t]() -> task<> {
            co_await with_task_group([&t](task_group& g) -> task<> {
                auto starter = this_task::handle();
                const auto fails = [&starter](started<>) -> task<> {
                    co_await yield();
                    loop::current().call_soon([&starter] { starter.cancel(); });
                    throw std::runtime_error("E");
                };
                const auto left = co_await settled(g.start(fails));
                t.note(left.threw<std::runtime_error>() ? "E" : "other");
                const auto next = co_await settled(yield());
                t.note(next.is_cancelled() ? "cancelled" : "other");
                next.rethrow();
            });
        });
        const auto left = co_await settled(owner);
        CHECK(owner.is_cancelled());
        CHECK(t.joined() == "E cancelled");
    });
}
