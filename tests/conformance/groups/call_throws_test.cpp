// call_throws_test.cpp - a callable that throws in the place of a task that it owes counts as a task that failed at once (4.2).
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// No coroutine: checks its argument at the call, as many functions do.
task<int> checked(int n) {
    if (n < 0)
        throw std::invalid_argument("n < 0");
    return [](int value) -> task<int> {
        co_await yield();
        co_return value;
    }(n);
}

task<int> bad() { return checked(-1); }
task<int> good() { return checked(1); }
task<> bad_void() {
    throw std::invalid_argument("n < 0");
    return []() -> task<> { co_return; }();
}

/// A task that was awaited before.
task<task<int>> used_task() {
    auto used = checked(1);
    const int value = co_await std::move(used);
    CHECK(value == 1);
    co_return std::move(used);
}

}

TEST_CASE("RUN-31 a main that throws instead of giving a task: run() throws that, and a runner goes on") {
    CHECK_THROWS_AS(run(bad), std::invalid_argument);
    CHECK_THROWS_AS(run([](int n) { return checked(n); }, -1), std::invalid_argument);
    runner several;
    CHECK_THROWS_AS(several.run(bad), std::invalid_argument);
    CHECK(several.run(good) == 1);
}

TEST_CASE("RUN-32 spawn() of a callable that throws gives a task that failed with it, in the next turn") {
    run([]() -> task<> {
        auto h = spawn(bad);
        CHECK_FALSE(h.is_done());
        const auto left = co_await settled(h);
        CHECK(left.threw<std::invalid_argument>());

        auto asked = spawn(bad);
        asked.cancel();
        const auto none = co_await settled(asked);
        CHECK(asked.is_cancelled());

        const auto shielded = co_await settled(shield(bad));
        CHECK(shielded.threw<std::invalid_argument>());

        auto cancels = spawn([]() -> task<> {
            throw cancelled{};
            return []() -> task<> { co_return; }();
        });
        const auto by_itself = co_await settled(cancels);
        CHECK(cancels.is_cancelled());
    });
}

TEST_CASE("RUN-33 submit() of a callable that throws: get() throws it") {
    run([]() -> task<> {
        auto to = loop::current().ref();
        auto call = [to] {
            auto answer = submit(to, bad);
            try {
                answer.get();
            } catch (const std::invalid_argument&) {
                return true;
            }
            return false;
        };
        if (loop::current().backend_name() == "sim")
            co_return;   // the call is made on the loop's own thread there, which may not wait for itself
        const bool thrown = co_await to_thread(std::move(call));
        CHECK(thrown);
    });
}

TEST_CASE("GRP-21 a group's body that throws at once: its children are cancelled and waited for, and a group of its error leaves") {
    run([]() -> task<> {
        trace t;
        const auto child = [&t]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            left.rethrow();
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(child);
            g.spawn(child);
            return bad_void();
        };
        const auto left = co_await settled(with_task_group(body));
        CHECK(end_of(left) == "group[n < 0]");
        CHECK(t.empty());   // cancelled before their first steps

        const auto in_child = [&](task_group& g) -> task<> {
            auto h = g.spawn(bad);
            const auto end = co_await settled(h);
            t.note(end_of(end));
            end.rethrow();
        };
        const auto group = co_await settled(with_task_group(in_child));
        CHECK(group.threw<exception_group>());

        const auto starting = [&](task_group& g) -> task<> {
            const auto calls = [](started<>) -> task<> { return bad_void(); };
            const auto end = co_await settled(g.start(calls));
            t.note(end_of(end));
        };
        co_await with_task_group(starting);
        CHECK(t.joined() == "cancelled n < 0");
    });
}

TEST_CASE("GRP-22 gather_settled() with a callable that throws, or a task that is used up, gives every outcome and cancels none") {
    run([]() -> task<> {
        auto used = co_await used_task();
        const auto ends = co_await gather_settled(bad, good, std::move(used));
        CHECK(end_of(std::get<0>(ends)) == "n < 0");
        CHECK(std::get<1>(ends).has_value());
        CHECK(usage_of(std::get<2>(ends)) == errc::already_awaited);
    });
}

TEST_CASE(
    "GRP-23 gather() and race() with a callable that throws, or a used task: the others are cancelled and waited for, then it leaves") {
    run([]() -> task<> {
        trace t;
        const auto slow = [&t]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            co_await yield();
            t.note(end_of(left));
            left.rethrow();
        };
        const auto late = [&t]() -> task<int> {
            co_await yield();
            t.note("called");
            co_return co_await checked(-1);
        };
        const auto gathered = co_await settled(gather(slow, late));
        t.note(end_of(gathered));
        const auto raced = co_await settled(race(slow, late));
        t.note(end_of(raced));
        CHECK(t.joined() == "called cancelled n < 0 called cancelled n < 0");

        const auto at_once = co_await settled(gather(slow, bad));
        CHECK(at_once.threw<std::invalid_argument>());
        const auto first = co_await settled(race(bad, slow));
        CHECK(first.threw<std::invalid_argument>());
        auto used = co_await used_task();
        const auto with_used = co_await settled(gather(slow, std::move(used)));
        CHECK(usage_of(with_used) == errc::already_awaited);
        CHECK(loop::current().counters().tasks == 1);
    });
}

TEST_CASE("GRP-24 finally() runs the clean-up however the body ended: a call that throws, a used task; a clean-up's call that throws is "
          "its end") {
    run([]() -> task<> {
        trace t;
        const auto cleans = [&t]() -> task<> {
            co_await yield();
            t.note("cleaned");
        };
        const auto called = co_await settled(finally(bad, cleans));
        t.note(end_of(called));
        auto used = co_await used_task();
        const auto spent = co_await settled(finally(std::move(used), cleans));
        CHECK(usage_of(spent) == errc::already_awaited);
        const auto both = co_await settled(finally(bad, bad_void));
        t.note(end_of(both));
        const auto cleanups = co_await settled(finally(good, bad_void));
        t.note(end_of(cleanups));
        CHECK(t.joined() == "cleaned n < 0 cleaned group[n < 0 n < 0] n < 0");
    });
}

TEST_CASE("GRP-25 settled() never throws: a call that throws, a used task, an empty handle and a task's own handle are outcomes") {
    run([]() -> task<> {
        const auto called = co_await settled(bad);
        CHECK(called.threw<std::invalid_argument>());
        const auto given = co_await settled(good);
        CHECK(given.has_value());
        auto used = co_await used_task();
        const auto spent = co_await settled(std::move(used));
        CHECK(usage_of(spent) == errc::already_awaited);
        const auto empty = co_await settled(task_handle<>());
        CHECK(usage_of(empty) == errc::empty_handle);
        const auto cancels = []() -> task<> {
            throw cancelled{};
            return []() -> task<> { co_return; }();
        };
        const auto asked = co_await settled(cancels);
        CHECK(asked.is_cancelled());
        const auto in_time = co_await settled(timeout(1h, cancels));
        CHECK(in_time.is_cancelled());
    });
}
