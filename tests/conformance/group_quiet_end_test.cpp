// group_quiet_end_test.cpp - task_group::cancel(): a group that is done before its children are.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/lifetimes.hpp>
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

namespace {

task<> turns(int n) {
    for (int i = 0; i < n; ++i)
        co_await yield();
}

/// When it is asked to end it takes its time, then ends so, or fails.
task<> slow_to_end(int n, std::string fails_with = "") {
    const auto left = co_await settled(sleep_for(1h));
    co_await turns(n);
    if (!fails_with.empty())
        throw std::runtime_error(fails_with);
    left.rethrow();
}

/// Runs a group, and notes what left it and what the next two suspensions were: "value value value".
task<> runs_group(trace& t, std::function<task<>(task_group&)> body) {
    const auto left = co_await settled(with_task_group(body));
    t.note(end_of(left));
    const auto next = co_await settled(yield());
    t.note(end_of(next));
    const auto last = co_await settled(yield());
    t.note(end_of(last));
}

}

TEST_CASE("GRP-11 a request from outside after the group's cancel() leaves as cancelled, whenever it comes, and once") {
    enum class body_is { over, ending, swallowing };
    for (const auto state : {body_is::over, body_is::ending, body_is::swallowing}) {
        int while_ending = 0;
        for (int when = 0; when < 12; ++when) {
            trace t;
            bool was_there = false;
            bool was_asked = false;
            run([&]() -> task<> {
                const auto body = [&, state](task_group& g) -> task<> {
                    g.spawn(slow_to_end(5));
                    g.spawn([&g]() -> task<> {
                        co_await yield();
                        g.cancel();
                    });
                    if (state == body_is::ending)
                        co_await slow_to_end(1);
                    else if (state == body_is::swallowing)
                        const auto left = co_await settled(sleep_for(1h));
                };
                auto h = spawn(runs_group(t, body));
                co_await turns(3 + when);   // turn 4: the group's cancel(), before this in the same turn
                was_there = t.empty();
                was_asked = h.cancel();
                co_await h;
                CHECK(h.cancelling() == (was_asked ? 1 : 0));
            });
            INFO(static_cast<int>(state) << " " << when << ": " << t.joined());
            const auto& events = t.events();
            // In the turn of the group's own request the two are one, and it is the body that is given it.
            const bool is_the_bodys = state == body_is::swallowing && when == 0;
            CHECK(events[0] == (was_there && !is_the_bodys ? "cancelled" : "value"));
            CHECK(std::count(events.begin(), events.end(), "cancelled") == (was_asked && !is_the_bodys ? 1 : 0));
            while_ending += was_there ? 1 : 0;
        }
        CHECK(while_ending > 5);
    }
}

TEST_CASE("GRP-11 an outer timeout that expires while a cancelled group ends leaves as timed_out") {
    for (const bool in_body : {false, true}) {
        INFO(in_body);
        run([in_body]() -> task<> {
            timeout_scope scope(1h);
            const auto expires_meanwhile = [&]() -> task<> {
                const auto left = co_await settled(sleep_for(1h));
                scope.reschedule(time_point::min());
                co_await turns(5);
            };
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn(expires_meanwhile);
                g.spawn([&g]() -> task<> {
                    g.cancel();
                    co_return;
                });
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
            auto h = spawn(runs_group(t, body));
            co_await turns(2);
            h.cancel();
            co_await h;
            CHECK(h.cancelling() == 1);
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
        auto h = spawn(runs_group(t, body));
        co_await turns(2);
        h.cancel();
        co_await h;
        CHECK(h.cancelling() == 1);
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
            const auto cancels = [](task_group& g) -> task<> {
                g.cancel();
                co_return;
            };
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn(sleep_for(1h));
                g.spawn(cancels, std::ref(g));
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
        const auto at_once = [](task_group& g) -> task<> {
            g.cancel();
            co_return;
        };
        co_await runs_group(t, at_once);
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
