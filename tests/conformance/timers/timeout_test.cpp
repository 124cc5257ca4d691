// timeout_test.cpp - bounds on an await: when they expire, what leaves then, and whose cancel it was.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMO-01 a body that ends first gives its value, and the timer is gone") {
    run([]() -> task<> {
        const auto before = turn_number();
        const int at_once = co_await timeout(1h, gives(7));
        CHECK(at_once == 7);
        CHECK(turn_number() == before);
        const int later = co_await timeout(1h, gives(8, 3));
        CHECK(later == 8);
        CHECK(turn_number() - before == 3);

        auto h = spawn(gives(9, 1));
        int& joined = co_await timeout(1h, h);
        CHECK(&joined == &h.get());
        const auto makes = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(10); };
        const auto owned = co_await timeout(1h, makes());
        CHECK(*owned == 10);
        co_await timeout(1h, sleep_for(1ms));
        const auto fails = []() -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        const auto left = co_await settled(timeout(1h, fails()));
        CHECK(end_of(left) == "E");

        CHECK(loop::current().counters().armed_timers == 0);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-02 when the deadline is first the body is cancelled inside, and timed_out leaves, not early") {
    trace t;
    run([&]() -> task<> {
        const auto body = [&]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            left.rethrow();
        };
        const auto before = loop::current().time();
        const auto left = co_await settled(timeout(5ms, body()));
        CHECK(loop::current().time() - before >= 5ms);
        t.note(end_of(left));
        CHECK(left.threw<timed_out>());
        CHECK(left.threw<std::exception>());
        CHECK(loop::current().counters().armed_timers == 0);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
    CHECK(t.joined() == "cancelled timed_out");
}

TEST_CASE("TMO-02 a body is asked in the turn in which its deadline has come, and resumes in the next") {
    run([]() -> task<> {
        event unset;
        std::uint64_t due = 0;
        const auto deadline = loop::current().time() + 2ms;
        loop::current().call_at(deadline, [&] { due = turn_number(); });
        const auto left = co_await settled(timeout_at(deadline, unset.wait()));
        CHECK(end_of(left) == "timed_out");
        CHECK(turn_number() == due + 1);
    });
}

TEST_CASE("TMO-02 an expired timeout cancels the read and leaves the stream usable") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 5> buffer{};
        const auto late = co_await settled(timeout(1ms, pair.ours.read(buffer)));
        CHECK(late.threw<timed_out>());
        const bool clean = co_await nothing_is_left();
        CHECK(clean);

        const std::array<std::byte, 5> sent{std::byte(1), std::byte(2), std::byte(3), std::byte(4), std::byte(5)};
        const auto written = co_await pair.theirs.write(sent);
        CHECK(written == 5);
        std::size_t count = 0;
        while (count < 5) {
            const auto some = co_await pair.ours.read(std::span(buffer).subspan(count));
            count += some;
        }
        CHECK(buffer == sent);
    });
}

TEST_CASE("TMO-03 a timeout of zero cancels a body that suspends at its first suspension, not one that doesn't") {
    run([]() -> task<> {
        trace t;
        const auto never_suspends = co_await timeout(0s, gives(7));
        CHECK(never_suspends == 7);
        event is_set;
        is_set.set();
        co_await timeout(-1h, is_set.wait());
        const bool clean = co_await nothing_is_left();
        CHECK(clean);

        const auto body = [&]() -> task<> {
            t.note("began");
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            left.rethrow();
        };
        const auto before = turn_number();
        const auto left = co_await settled(timeout(0s, body()));
        t.note(end_of(left));
        CHECK(turn_number() - before == 2);   // asked in the next turn, resumed in the one after
        CHECK(t.joined() == "began cancelled timed_out");

        // Its entry is in the queue before the body's: the body is asked first, and resumes in the same turn.
        const auto between = turn_number();
        const auto yielded = co_await settled(timeout(0s, yield()));
        CHECK(end_of(yielded) == "timed_out");
        CHECK(turn_number() - between == 1);
        const bool still_clean = co_await nothing_is_left();
        CHECK(still_clean);
    });
}

TEST_CASE("TMO-04 of nested timeouts the one that expired first is raised, by its own scope") {
    run([]() -> task<> {
        const auto nested = [](duration inner_bound, duration outer_bound) -> task<std::string> {
            timeout_scope outer(outer_bound);
            timeout_scope inner(inner_bound);
            std::string ends;
            const auto body = [&]() -> task<> {
                const auto left = co_await settled(inner.run(sleep_for(1h)));
                ends = end_of(left);
                left.rethrow();
            };
            const auto left = co_await settled(outer.run(body()));
            ends += " " + end_of(left);
            ends += inner.is_expired() ? " inner" : "";
            ends += outer.is_expired() ? " outer" : "";
            co_return ends;
        };
        const auto inner_first = co_await nested(1ms, 1h);
        CHECK(inner_first == "timed_out timed_out inner");   // the inner one's error goes through the outer scope
        const auto outer_first = co_await nested(1h, 1ms);
        CHECK(outer_first == "cancelled timed_out outer");
        const auto both_at_once = co_await nested(0s, 0s);
        CHECK(both_at_once == "cancelled timed_out inner outer");
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-04 with the same deadline the outer one is raised, whichever was made first") {
    run([]() -> task<> {
        event unset;
        const auto deadline = loop::current().time() + 2ms;
        const auto left = co_await settled(timeout_at(deadline, timeout_at(deadline, unset.wait())));
        CHECK(end_of(left) == "timed_out");
        const bool clean = co_await nothing_is_left();
        CHECK(clean);

        std::string inner;
        timeout_scope outer_scope(1h);
        const auto body = [&]() -> task<> {
            const auto same = loop::current().time() + 2ms;
            const auto moves_the_outer = [&]() -> task<> {
                outer_scope.reschedule(same);   // armed after the inner one
                co_await unset.wait();
            };
            const auto ended = co_await settled(timeout_at(same, moves_the_outer()));
            inner = end_of(ended);
            ended.rethrow();
        };
        const auto outer = co_await settled(outer_scope.run(body()));
        CHECK(inner == "cancelled");
        CHECK(end_of(outer) == "timed_out");
    });
}

TEST_CASE("TMO-05 a body that answers the cancel with an error: that leaves, and no request is left") {
    run([]() -> task<> {
        const auto body = []() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            throw std::runtime_error("E");
        };
        timeout_scope scope(1ms);
        const auto left = co_await settled(scope.run(body()));
        CHECK(end_of(left) == "E");
        CHECK(scope.is_expired());
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-06 a body that swallows the cancel gives its value; the scope is marked expired, and no request is left") {
    run([]() -> task<> {
        const auto body = []() -> task<int> {
            const auto left = co_await settled(sleep_for(1h));
            co_await yield();   // it goes on as it likes
            co_return 7;
        };
        timeout_scope scope(1ms);
        const int value = co_await scope.run(body());
        CHECK(value == 7);
        CHECK(scope.is_expired());
        const bool clean = co_await nothing_is_left();
        CHECK(clean);

        const auto inside = co_await timeout(1ms, settled(sleep_for(1h)));
        CHECK(inside.is_cancelled());
    });
}

TEST_CASE("TMO-07 a request from outside in the turn of the expiry wins, in both orders, and is not swallowed") {
    for (const bool request_first : {false, true}) {
        INFO(request_first);
        run([request_first]() -> task<> {
            const auto deadline = loop::current().time() + 2ms;
            timeout_scope scope(deadline);
            event unset;
            task_handle<> h;
            if (request_first)
                loop::current().call_at(deadline, [&] { h.cancel(); });
            h = spawn([&]() -> task<> { co_await scope.run(unset.wait()); });
            co_await yield();
            if (!request_first)
                loop::current().call_at(deadline, [&] { h.cancel(); });
            const auto ended = co_await wait(h);
            CHECK(end_of(h) == "cancelled");
            CHECK(h.cancelling() == 1);
            CHECK(scope.is_expired());
        });
    }
}

TEST_CASE("TMO-07 a request from outside while an expired body cleans up leaves as cancelled; a timeout after the request is none") {
    run([]() -> task<> {
        timeout_scope scope(0s);
        auto h = spawn([&]() -> task<> {
            const auto body = []() -> task<> {
                const auto left = co_await settled(sleep_for(1h));
                const auto again = co_await settled(sleep_for(1h));
                again.rethrow();
            };
            co_await scope.run(body());
        });
        for (int i = 0; i < 5; ++i)
            co_await yield();
        CHECK(scope.is_expired());
        h.cancel();
        co_await yield();
        CHECK(end_of(h) == "cancelled");

        // Asked before: the scope that begins later and doesn't expire passes it on.
        const auto asked_before = []() -> task<> {
            this_task::handle().cancel();
            co_await timeout(1h, sleep_for(1h));
        };
        const auto left = co_await settled(asked_before());
        CHECK(left.is_cancelled());
        CHECK(this_task::handle().cancelling() == 1);
        this_task::handle().uncancel();
    });
}

TEST_CASE("TMO-08 a timed out join ends after the joined task has ended") {
    run([]() -> task<> {
        trace t;
        auto inner = spawn([&]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            co_await sleep_for(2ms);
            t.note("inner");
            left.rethrow();
        });
        const auto left = co_await settled(timeout(1ms, inner));
        t.note(end_of(left));
        CHECK(inner.is_cancelled());
        CHECK(t.joined() == "inner timed_out");

        // It may also give a value, which then counts.
        auto swallows = spawn([]() -> task<int> {
            const auto asked = co_await settled(sleep_for(1h));
            co_return 7;
        });
        const int value = co_await timeout(1ms, swallows);
        CHECK(value == 7);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}
