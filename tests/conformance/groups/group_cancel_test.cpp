// group_cancel_test.cpp - requests to a group's owner, and groups that are cancelled: nothing gets lost, nothing is made up.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
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

TEST_CASE("GRP-07 a request to the owner that waits ends the children, is awaited, and leaves as cancelled") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "a"));
            g.spawn(asleep(t, "b"));
            co_return;
        };
        auto h = spawn([&]() -> task<> {
            const auto left = co_await settled(with_task_group(body));
            t.note(end_of(left) + std::to_string(turn_number()));
            left.rethrow();
        });
        co_await turns(2);
        h.cancel();   // in turn 3
        const auto ended = co_await wait(h);
        CHECK(h.is_cancelled());
        CHECK(h.cancelling() == 1);
        CHECK(loop::current().counters().tasks == 1);
    });
    CHECK(t.joined() == "a:cancelled5 b:cancelled5 cancelled7");
}

TEST_CASE("GRP-07 a request while the body runs goes to the body; then the children are ended and awaited") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "child"));
            co_await asleep(t, "body");
        };
        auto h = spawn(with_task_group(body));
        co_await turns(2);
        h.cancel();   // in turn 3
        const auto ended = co_await wait(h);
        t.note(end_of(h) + std::to_string(turn_number()));
    });
    CHECK(t.joined() == "body:cancelled4 child:cancelled5 cancelled9");   // 7: the owner; wait takes two
}

TEST_CASE("GRP-07 a body that swallows the request and returns ends its group as if nothing had been") {
    trace t;
    run([&]() -> task<> {
        const auto child = [&]() -> task<> {
            co_await turns(5);
            t.note("child");
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(child);
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
        };
        const auto asked = co_await runs_group_that_is_asked(t, body);
        CHECK(asked.count == 1);
    });
    CHECK(t.joined() == "cancelled child value value value");
}

TEST_CASE("GRP-07 further requests neither end the wait for the children nor come out more than once") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(slow_to_end(10));
            co_return;
        };
        auto h = spawn(runs_group(t, body));
        co_await turns(2);
        for (int i = 0; i < 5; ++i) {
            h.cancel();
            co_await yield();
        }
        CHECK(t.empty());
        co_await h;
        CHECK(h.cancelling() == 5);
    });
    CHECK(t.joined() == "cancelled value value");
}

TEST_CASE("GRP-07 a request is delivered at each instant of the last child's end: before it, before its bookkeeping, before the owner") {
    for (int after = 0; after < 4; ++after) {
        trace t;
        bool was_there = false;
        run([&]() -> task<> {
            event go;
            const auto body = [&](task_group& g) -> task<> {
                g.spawn([&]() -> task<> { co_await go.wait(); });
                co_return;
            };
            auto h = spawn(runs_group(t, body));
            co_await turns(2);
            go.set();
            co_await turns(after);   // 1: the child has ended, 2: the owner is ready, 3: the group has ended
            was_there = t.empty();
            h.cancel();
            const auto ended = co_await wait(h);
            CHECK(h.cancelling() == 1);
        });
        INFO(after);
        CHECK(was_there == (after < 3));
        CHECK(t.joined() == (after < 3 ? "cancelled value value" : "value cancelled value"));
    }
}

TEST_CASE("GRP-08 a child that fails because its group's owner was asked to end: the group leaves, the request is delivered next") {
    for (const bool in_body : {false, true}) {
        trace t;
        run([&]() -> task<> {
            const auto body = [&, in_body](task_group& g) -> task<> {
                g.spawn(slow_to_end(1, "E"));
                if (in_body)
                    co_await sleep_for(1h);
            };
            const auto asked = co_await runs_group_that_is_asked(t, body);
            CHECK(asked.count == 1);
        });
        INFO(in_body);
        CHECK(t.joined() == "group[E] cancelled value");
    }
}

TEST_CASE("GRP-08 a request while a group fails is delivered at the next suspension after it, whenever it comes, and once") {
    for (const bool in_body : {false, true}) {
        int while_failing = 0;
        for (int when = 0; when < 12; ++when) {
            trace t;
            group_request asked;
            run([&]() -> task<> {
                const auto body = [&, in_body](task_group& g) -> task<> {
                    g.spawn(slow_to_end(3, "E2"));
                    g.spawn(fails("E1", 1));
                    if (in_body)
                        co_await slow_to_end(2);
                };
                asked = co_await runs_group_that_is_asked(t, body, 3 + when);   // turn 4: the failure, before this in the same turn
                CHECK(asked.count == (asked.was_taken ? 1u : 0u));
            });
            INFO(in_body << " " << when << ": " << t.joined());
            const auto& events = t.events();
            CHECK(events[0] == "group[E1 E2]");
            CHECK(std::count(events.begin(), events.end(), "cancelled") == (asked.was_taken ? 1 : 0));
            if (asked.was_there)
                CHECK(events[1] == "cancelled");
            while_failing += asked.was_there ? 1 : 0;
        }
        CHECK(while_failing > 5);
    }
}

TEST_CASE("GRP-08 a request and a child's failure in the same turn, in both orders: both are heard") {
    for (const bool request_first : {false, true}) {
        trace t;
        run([&]() -> task<> {
            event go;
            const auto fails_then = [&]() -> task<> {
                co_await go.wait();
                throw std::runtime_error("E");
            };
            const auto body = [&](task_group& g) -> task<> {
                g.spawn(fails_then);
                g.spawn(slow_to_end(2));
                co_return;
            };
            auto h = spawn(runs_group(t, body));
            co_await turns(2);
            // The failure's bookkeeping and this callback stand in the queue of one turn.
            if (request_first) {
                loop::current().call_soon([&] { loop::current().call_soon([&] { h.cancel(); }); });
                go.set();
            } else {
                go.set();
                loop::current().call_soon([&] { loop::current().call_soon([&] { h.cancel(); }); });
            }
            co_await h;
            CHECK(h.cancelling() == 1);
        });
        INFO(request_first);
        CHECK(t.joined() == "group[E] cancelled value");
    }
}

TEST_CASE("GRP-08 an outer timeout that expires while a group fails: the group leaves as it is, and no request is left") {
    run([]() -> task<> {
        timeout_scope scope(1h);
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(expires_when_asked(scope, 3));
            g.spawn(fails("E"));
            co_return;
        };
        const auto left = co_await settled(scope.run(with_task_group(body)));
        CHECK(end_of(left) == "group[E]");
        CHECK(scope.is_expired());
        CHECK(this_task::handle().cancelling() == 0);
        const auto next = co_await settled(yield());
        CHECK(next.has_value());
    });
}

TEST_CASE("GRP-10 an inner group that fails while the outer one ends it doesn't swallow the outer one's request") {
    trace t;
    run([&]() -> task<> {
        const auto inner = [&](task_group& g) -> task<> {
            g.spawn(slow_to_end(0, "E2"));
            g.spawn(asleep(t, "inner-child"));
            co_return;
        };
        const auto outer = [&](task_group& g) -> task<> {
            g.spawn(fails("E1", 2));
            co_await runs_group(t, inner);
            co_await yield();
            t.note("went-on");
        };
        const auto left = co_await settled(with_task_group(outer));
        t.note(end_of(left));
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    CHECK(t.joined() == "inner-child:cancelled7 group[E2] cancelled value went-on group[E1]");
}

TEST_CASE("GRP-10 a group in a child of a failing group ends its own children and is cancelled") {
    trace t;
    run([&]() -> task<> {
        const auto inner = [&](task_group& g) -> task<> {
            g.spawn(asleep(t, "inner-child"));
            co_await asleep(t, "inner-body");
        };
        const auto outer = [&](task_group& g) -> task<> {
            g.spawn(with_task_group(inner));
            g.spawn(fails("E", 2));
            co_return;
        };
        const auto left = co_await settled(with_task_group(outer));
        t.note(end_of(left));
    });
    CHECK(t.joined() == "inner-body:cancelled6 inner-child:cancelled7 group[E]");
}

TEST_CASE("GRP-13 a body that answers the group's cancel with an error of its own: both leave, and the count is zero") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(fails("E1"));
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            throw std::runtime_error("E2");
        };
        co_await runs_group(t, body);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "cancelled group[E1 E2] value value");
}

TEST_CASE("GRP-13 a body that swallows the group's cancel and returns: the error leaves, and the count is zero") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(fails("E1"));
            const auto left = co_await settled(sleep_for(1h));
        };
        co_await runs_group(t, body);
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "group[E1] value value");
}
