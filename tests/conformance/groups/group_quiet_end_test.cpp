// group_quiet_end_test.cpp - task_group::cancel(): a group that is done before its children are.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/lifetimes.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GRP-11 a request from outside after the group's cancel() leaves as cancelled, whenever it comes, and once") {
    enum class body_is { over, ending, swallowing };
    for (const auto state : {body_is::over, body_is::ending, body_is::swallowing}) {
        int while_ending = 0;
        for (int when = 0; when < 12; ++when) {
            trace t;
            group_request asked;
            run([&]() -> task<> {
                const auto body = [&, state](task_group& g) -> task<> {
                    g.spawn(slow_to_end(5));
                    g.spawn(cancels(g, 1));
                    if (state == body_is::ending)
                        co_await slow_to_end(1);
                    else if (state == body_is::swallowing)
                        const auto left = co_await settled(sleep_for(1h));
                };
                asked =
                    co_await runs_group_that_is_asked(t, body, 3 + when);   // turn 4: the group's cancel(), before this in the same turn
                CHECK(asked.count == (asked.was_taken ? 1u : 0u));
            });
            INFO(static_cast<int>(state) << " " << when << ": " << t.joined());
            const auto& events = t.events();
            // In the turn of the group's own request the two are one, and it is the body that is given it.
            const bool is_the_bodys = state == body_is::swallowing && when == 0;
            CHECK(events[0] == (asked.was_there && !is_the_bodys ? "cancelled" : "value"));
            CHECK(std::count(events.begin(), events.end(), "cancelled") == (asked.was_taken && !is_the_bodys ? 1 : 0));
            while_ending += asked.was_there ? 1 : 0;
        }
        CHECK(while_ending > 5);
    }
}

TEST_CASE("GRP-11 an outer timeout that expires while a cancelled group ends leaves as timed_out") {
    for (const bool in_body : {false, true}) {
        INFO(in_body);
        run([in_body]() -> task<> {
            timeout_scope scope(1h);
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn(expires_when_asked(scope, 5));
                g.spawn(cancels(g));
                if (in_body)
                    co_await sleep_for(1h);
            };
            const auto left = co_await settled(scope.run(with_task_group(body)));
            CHECK(end_of(left) == "timed_out");
            CHECK(this_task::handle().cancelling() == 0);
            const auto next = co_await settled(yield());
            CHECK(next.has_value());
        });
    }
}

TEST_CASE("GRP-11 the group's cancel() after a request from outside: the request still leaves") {
    for (const bool in_body : {false, true}) {
        trace t;
        run([&]() -> task<> {
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn([&g]() -> task<> {
                    const auto left = co_await settled(sleep_for(1h));
                    g.cancel();
                    co_await turns(2);
                });
                if (in_body)
                    co_await sleep_for(1h);
            };
            const auto asked = co_await runs_group_that_is_asked(t, body);
            CHECK(asked.count == 1);
        });
        INFO(in_body);
        CHECK(t.joined() == "cancelled value value");
    }
}

TEST_CASE("GRP-11 a request that its body has swallowed doesn't come out of a cancelled group again") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(slow_to_end(2));
            const auto left = co_await settled(sleep_for(1h));
            t.note("body:" + end_of(left));
            g.cancel();
        };
        const auto asked = co_await runs_group_that_is_asked(t, body);
        CHECK(asked.count == 1);
    });
    CHECK(t.joined() == "body:cancelled value value value");
}

TEST_CASE("GRP-11 a request that is pending when the body cancels its group and returns is delivered") {
    for (const bool with_child : {false, true}) {
        trace t;
        run([&]() -> task<> {
            const auto body = [&, with_child](task_group& g) -> task<> {
                if (with_child)
                    g.spawn(slow_to_end(2));
                this_task::handle().cancel();   // stands for anybody's
                g.cancel();
                co_return;
            };
            co_await runs_group(t, body);
            CHECK(this_task::handle().cancelling() == 1);
        });
        INFO(with_child);
        CHECK(std::count(t.events().begin(), t.events().end(), "cancelled") == 1);
    }
}

TEST_CASE("GRP-12 a child that calls cancel() before its first suspension ends the group: nobody hangs") {
    for (const bool in_body : {false, true}) {
        trace t;
        run([&]() -> task<> {
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn(sleep_for(1h));
                g.spawn(cancels(g));
                g.spawn([]() -> task<> {
                    FAIL("it was cancelled before it began");
                    co_return;
                });
                if (in_body)
                    co_await sleep_for(1h);
            };
            co_await runs_group(t, body);
            CHECK(this_task::handle().cancelling() == 0);
        });
        INFO(in_body);
        CHECK(t.joined() == "value value value");
    }
}

TEST_CASE("GRP-12 a child that is its group's only one may cancel it, and itself") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn([&]() -> task<> {
                g.cancel();
                const auto left = co_await settled(yield());
                t.note(end_of(left));
            });
            co_return;
        };
        co_await runs_group(t, body);
    });
    CHECK(t.joined() == "cancelled value value value");
}

TEST_CASE("GRP-14 the first child to succeed cancels the group, which ends without an error and without a count") {
    trace t;
    run([&]() -> task<> {
        int found = 0;
        const auto looks = [&](task_group& g, int value, int n) -> task<> {
            co_await turns(n);
            found = value;
            g.cancel();
            g.cancel();
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(looks, std::ref(g), 1, 8);
            g.spawn(looks, std::ref(g), 2, 1);
            g.spawn(looks, std::ref(g), 3, 5);
            co_return;
        };
        co_await runs_group(t, body);
        CHECK(found == 2);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "value value value");
}

TEST_CASE("GRP-14 a body may cancel its group: before a child, after one, and without ever suspending") {
    trace t;
    run([&]() -> task<> {
        co_await runs_group(t, [](task_group& g) { return cancels(g); });
        const auto with_child = [](task_group& g) -> task<> {
            g.spawn(sleep_for(1h));
            g.cancel();
            co_return;
        };
        co_await runs_group(t, with_child);
        const auto suspends = [&t](task_group& g) -> task<> {
            g.cancel();
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            left.rethrow();
        };
        co_await runs_group(t, suspends);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "value value value value value value cancelled value value value");
}

TEST_CASE("GRP-14 in a task that has swallowed a request before, a cancelled group ends as quietly") {
    trace t;
    run([&]() -> task<> {
        this_task::handle().cancel();
        const auto swallowed = co_await settled(yield());
        const auto waits = [](task_group& g) -> task<> {
            g.spawn(sleep_for(1h));
            g.cancel();
            co_await sleep_for(1h);
        };
        co_await runs_group(t, waits);
        CHECK(this_task::handle().cancelling() == 1);
    });
    CHECK(t.joined() == "value value value");
}

TEST_CASE("GRP-14 errors of children of a cancelled group are not lost; spawn into it is refused") {
    trace t;
    lifetimes of_argument;
    run([&]() -> task<> {
        const auto takes = [](counted) -> task<> { co_return; };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(slow_to_end(1, "E1"));
            g.spawn(slow_to_end(0, "E2"));
            co_await turns(2);
            g.cancel();
            CHECK(usage_of([&] { g.spawn(takes, counted(of_argument)); }) == errc::group_not_active);
        };
        co_await runs_group(t, body);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "group[E2 E1] value value");
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("GRP-14 cancel() between the last child's end and the group's does nothing") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            auto last = g.spawn(turns(1));
            last.on_done([&g] { g.cancel(); });
            co_return;
        };
        co_await runs_group(t, body);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "value value value");
}

TEST_CASE("GRP-26 a request that was pending when a group began, which is then ended quietly, is delivered") {
    run([]() -> task<> {
        trace t;
        for (const bool in_body : {true, false}) {
            auto h = spawn([&t, in_body]() -> task<> {
                this_task::handle().cancel();
                const auto body = [in_body](task_group& g) -> task<> {
                    g.spawn(sleep_for(1h));
                    if (in_body)
                        g.cancel();
                    else
                        loop::current().call_soon([&g] { g.cancel(); });
                    co_await sleep_for(1h);
                };
                const auto left = co_await settled(with_task_group(body));
                t.note(end_of(left));
                left.rethrow();
            });
            const auto left = co_await settled(h);
            CHECK(h.is_cancelled());
        }
        CHECK(t.joined() == "cancelled cancelled");
    });
}
