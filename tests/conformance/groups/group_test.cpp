// group_test.cpp - task groups: who is waited for, and what leaves.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/scale.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GRP-01 a group ends two turns after its last child, and the children's values can be read") {
    run([]() -> task<> {
        task_handle<int> a;
        task_handle<int> b;
        task_handle<int> c;
        const auto body = [&](task_group& g) -> task<> {
            a = g.spawn(gives(1, 2));
            b = g.spawn(gives, 2, 4);
            c = g.spawn([] { return gives(3, 0); });
            co_return;
        };
        const auto before = turn_number();
        co_await with_task_group(body);
        CHECK(turn_number() - before == 1 + 4 + 2);
        CHECK(a.get() + b.get() + c.get() == 6);
        CHECK(loop::current().counters().tasks == 1);
    });
}

TEST_CASE("GRP-01 children begin in the turn after their spawn, in its order, and run beside the body") {
    trace t;
    run([&]() -> task<> {
        const auto mark = [&t](const std::string& name) { t.note(name + std::to_string(turn_number())); };
        const auto child = [&](std::string name) -> task<> {
            mark(name);
            co_await yield();
            mark(name);
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(child, "a");
            g.spawn(child, "b");
            mark("body");
            co_await yield();
            mark("body");
        };
        co_await with_task_group(body);
        mark("left");
    });
    CHECK(t.joined() == "body1 a2 b2 body2 a3 b3 left5");
}

TEST_CASE("GRP-01 a body that outlasts its children waits for nobody") {
    run([]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            g.spawn(gives(1, 0));
            co_await yield();
            co_await yield();   // the child ended in the turn before; its bookkeeping came first in this one
        };
        const auto before = turn_number();
        co_await with_task_group(body);
        CHECK(turn_number() - before == 2);
    });
}

TEST_CASE("GRP-02 an empty group loses no turn") {
    run([]() -> task<> {
        const auto nothing = [](task_group&) -> task<> { co_return; };
        const auto before = turn_number();
        co_await with_task_group(nothing);
        co_await with_task_group([](task_group&) -> task<> { co_return; });
        CHECK(turn_number() == before);
    });
}

TEST_CASE("GRP-03 a failing child cancels its siblings in spawn order, then the body; all are awaited, and a group leaves") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "a"));
            g.spawn(fails("E", 1));
            g.spawn(asleep(t, "c"));
            g.spawn(asleep(t, "d"));
            co_await asleep(t, "body");
        };
        const auto left = co_await settled(with_task_group(body));
        t.note(end_of(left) + std::to_string(turn_number()));
        CHECK(left.threw<exception_group>());
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    // It fails in turn 3; 4: bookkeeping and requests; 5: they resume; 6: bookkeeping.
    CHECK(t.joined() == "a:cancelled5 c:cancelled5 d:cancelled5 body:cancelled5 group[E]7");
}

TEST_CASE("GRP-03 the same when the body has ended before: its wait for the children goes on") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "a"));
            g.spawn(fails("E", 1));
            g.spawn(asleep(t, "c"));
            co_return;
        };
        const auto left = co_await settled(with_task_group(body));
        t.note(end_of(left) + std::to_string(turn_number()));
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    CHECK(t.joined() == "a:cancelled5 c:cancelled5 group[E]7");
}

TEST_CASE("GRP-03 a child that had not begun when a sibling failed never begins") {
    run([]() -> task<> {
        bool began = false;
        const auto late = [&]() -> task<> {
            began = true;
            co_return;
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(fails("E"));
            co_await yield();
            g.spawn(late);   // it stands in the queue behind the bookkeeping of the failure
            co_await sleep_for(1h);
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E]");
        CHECK_FALSE(began);
    });
}

TEST_CASE("GRP-03 the last child's failure is the group's, and its request to the body is gone with the group") {
    run([]() -> task<> {
        const auto body = [](task_group& g) -> task<> {
            g.spawn(fails("E"));
            co_return;
        };
        const auto before = turn_number();
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E]");
        CHECK(turn_number() - before == 1 + 2);
        CHECK(this_task::handle().cancelling() == 0);
        const auto next = co_await settled(yield());
        CHECK(next.has_value());
    });
}

TEST_CASE("GRP-04 errors of children are together in the order in which they ended, none of them is reported elsewhere") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(fails_when_asked("E1", 2));
            g.spawn(fails("E2", 1));
            g.spawn(fails_when_asked("E3", 0));
            g.spawn(fails("E4", 1));
            co_return;
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E2 E4 E3 E1]");
    });
    CHECK(log.empty());
}

TEST_CASE("GRP-05 a body's error cancels the children; it stands last in the group") {
    trace t;
    run([&]() -> task<> {
        const auto alone = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "a"));
            co_await yield();
            throw std::runtime_error("E");
        };
        const auto first = co_await settled(with_task_group(alone));
        CHECK(end_of(first) == "group[E]");
        const auto with_child = [&](task_group& g) -> task<> {
            g.spawn(fails_when_asked("E1"));
            co_await yield();
            throw std::runtime_error("E");
        };
        const auto second = co_await settled(with_task_group(with_child));
        CHECK(end_of(second) == "group[E1 E]");
        const auto without_child = [&](task_group&) -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        const auto third = co_await settled(with_task_group(without_child));
        CHECK(end_of(third) == "group[E]");
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    CHECK(t.joined() == "a:cancelled3");
}

TEST_CASE("GRP-05 groups nest, and with them what leaves them") {
    run([]() -> task<> {
        const auto inner = [](task_group& g) -> task<> {
            g.spawn(fails("E1"));
            g.spawn(fails("E2"));
            co_return;
        };
        const auto outer = [&](task_group& g) -> task<> {
            g.spawn(with_task_group(inner));
            g.spawn(fails_when_asked("E3"));
            co_return;
        };
        const auto left = co_await settled(with_task_group(outer));
        CHECK(end_of(left) == "group[group[E1 E2] E3]");
    });
}

TEST_CASE("GRP-06 a child that ends cancelled without its group doesn't concern the group") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            auto others_do = g.spawn(asleep(t, "a"));
            auto never_begins = g.spawn(asleep(t, "never"));
            g.spawn([]() -> task<> {
                throw cancelled{};
                co_return;
            });
            auto value = g.spawn(gives(7, 5));
            never_begins.cancel();
            co_await yield();
            others_do.cancel();
            const int joined = co_await value;
            CHECK(joined == 7);
            CHECK(others_do.is_cancelled());
            CHECK(never_begins.is_cancelled());
        };
        co_await with_task_group(body);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "a:cancelled3");
}

TEST_CASE("GRP-16 of ten thousand children one fails: all others are cancelled, one error leaves, within a second") {
    constexpr int count = 10'000;
    run([]() -> task<> {
        std::vector<task_handle<>> others;
        const auto body = [&](task_group& g) -> task<> {
            for (int i = 0; i < count - 1; ++i)
                others.push_back(g.spawn(sleep_for(1h)));
            g.spawn(fails("E", 1));
            co_return;
        };
        const auto began = loop::current().time();
        const auto left = co_await settled(with_task_group(body));
        CHECK(loop::current().time() - began < 1s * slowdown);
        CHECK(end_of(left) == "group[E]");
        int cancelled_ones = 0;
        for (const auto& h : others)
            cancelled_ones += h.is_cancelled() ? 1 : 0;
        CHECK(cancelled_ones == count - 1);
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("GRP-17 a child that swallows its cancel and returns is no failure; the first error still leaves") {
    run([]() -> task<> {
        task_handle<int> swallows;
        const auto body = [&](task_group& g) -> task<> {
            swallows = g.spawn([]() -> task<int> {
                const auto left = co_await settled(sleep_for(1h));
                co_return 7;
            });
            g.spawn(fails("E"));
            co_return;
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[E]");
        CHECK(swallows.get() == 7);
    });
}
