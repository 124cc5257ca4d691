// timeout_entry_test.cpp - scopes at their entry: requests that were there before, deadlines that are moved, awaitables that are refused.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/scenes.hpp>
#include <support/virtual_time.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMO-21 a request that was pending when a scope was entered whose deadline had passed wins: cancelled, not timed_out") {
    run([]() -> task<> {
        const auto asked = [](auto make) -> task<std::string> {
            this_task::handle().cancel();
            const auto left = co_await settled(make());
            CHECK(this_task::handle().cancelling() == 1);
            const auto next = co_await settled(yield());
            CHECK(next.has_value());   // delivered once
            this_task::handle().uncancel();
            co_return end_of(left);
        };
        const auto by_duration = co_await asked([] { return timeout(0s, sleep_for(1h)); });
        CHECK(by_duration == "cancelled");
        const auto by_deadline = co_await asked([] { return timeout_at(loop::current().time() - 1s, sleep_for(1h)); });
        CHECK(by_deadline == "cancelled");
        const auto nested = co_await asked([] { return timeout(0s, timeout(0s, sleep_for(1h))); });
        CHECK(nested == "cancelled");
        const auto joined = co_await asked([] { return timeout(0s, spawn(sleep_for(1h))); });
        CHECK(joined == "cancelled");
        // Without one it is the scope's, and a value is a value.
        const auto expired = co_await settled(timeout(0s, sleep_for(1h)));
        CHECK(end_of(expired) == "timed_out");
        this_task::handle().cancel();
        const auto swallows = []() -> task<int> {
            const auto left = co_await settled(sleep_for(1h));
            co_return 7;
        };
        const int value = co_await timeout(0s, swallows);
        CHECK(value == 7);
        CHECK(this_task::handle().cancelling() == 1);
        this_task::handle().uncancel();
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-22 a task that goes on after each timed_out of a passed deadline is still ended by shut down") {
    int rounds = 0;
    run([&rounds]() -> task<> {
        spawn([&rounds]() -> task<> {
            for (;;) {
                ++rounds;
                const auto asked_later = [](resolver<void> r) {
                    loop::current().call_soon([answer = std::make_shared<resolver<void>>(std::move(r))] {
                        loop::current().call_soon([answer] { answer->set_value(); });
                    });
                };
                co_await from_callback<void>(asked_later);   // its value is kept, a request waits for the next suspension
                const auto left = co_await settled(timeout(0s, sleep_for(1h)));
                if (left.is_cancelled())
                    throw cancelled{};
            }
        });
        for (int i = 0; i < 20; ++i)
            co_await yield();
    });
    CHECK(rounds > 1);
}

TEST_CASE("TMO-23 a scope has no deadline before it runs unless it was given one, and can be rescheduled before and after its entry") {
    run(virtual_time(), []() -> task<> {
        timeout_scope counted(1s);
        CHECK(counted.deadline() == no_deadline);
        const time_point now = loop::current().time();
        timeout_scope fixed(now + 5ms);
        CHECK(fixed.deadline() == now + 5ms);
        CHECK(timeout_scope().deadline() == no_deadline);

        const auto body = [&counted, now]() -> task<> {
            CHECK(counted.deadline() == now + 1s);
            co_await sleep_for(1ms);
        };
        co_await counted.run(body());
        CHECK(counted.deadline() == now + 1s);

        // A length of time is replaced by a point in time, which is not counted from the entry.
        timeout_scope moved(1h);
        const time_point before = loop::current().time();
        moved.reschedule(before + 2ms);
        CHECK(moved.deadline() == before + 2ms);
        co_await sleep_for(1ms);
        const auto left = co_await settled(moved.run(sleep_for(1h)));
        CHECK(end_of(left) == "timed_out");
        CHECK(loop::current().time() - before == 2ms);

        timeout_scope endless(1ms);
        endless.reschedule(no_deadline);
        CHECK(endless.deadline() == no_deadline);
        co_await endless.run(sleep_for(10ms));
        CHECK_FALSE(endless.is_expired());
    });
}

TEST_CASE("TMO-24 a scope whose awaitable is refused before it waits has been left: it cancels nothing later") {
    run(virtual_time(), []() -> task<> {
        task_handle<> own;
        timeout_scope scope(1ms);
        own = spawn([&]() -> task<> {
            const auto refused = co_await settled(scope.run(own));   // a task can't await itself
            CHECK(refused.threw<usage_error>());
            CHECK_THROWS_AS(scope.reschedule(no_deadline), usage_error);   // it has been left
            co_await sleep_for(10ms);
        });
        co_await own;
        CHECK(loop::current().counters().armed_timers == 0);
        own = {};
    });
}
