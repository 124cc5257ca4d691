// combinator_test.cpp - waiting without touching, shielding, settling, cleaning up: wait, shield, settled, finally.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TSK-10 wait wakes two turns after the end it waited for, also if that has been long ago") {
    run([]() -> task<> {
        auto a = spawn(gives(1, 3));
        auto b = spawn(gives(2, 1));
        const auto before = turn_number();
        const auto both = co_await wait(a, b);   // a ends three turns after its first step
        CHECK(turn_number() - before == 4 + 2);
        CHECK(both.done.size() == 2);
        CHECK(both.pending.empty());

        const auto later = turn_number();
        const auto again = co_await wait(b, a);
        CHECK(turn_number() - later == 2);
        REQUIRE(again.done.size() == 2);
        CHECK(again.done[0] == b);
        CHECK(again.done[1] == a);
    });
}

TEST_CASE("TSK-10 wait for the first, for the first error, or within a time tells who has ended, and cancels nobody") {
    run([]() -> task<> {
        std::vector<task_handle<int>> all;
        all.push_back(spawn(gives(1, 4)));
        all.push_back(spawn(gives(2, 1)));
        all.push_back(spawn(fails<int>("E", 2)));
        const auto cancels_itself = []() -> task<int> {
            throw cancelled{};
            co_return 0;
        };
        all.push_back(spawn(cancels_itself));

        const auto before = turn_number();
        const auto first = co_await wait(all, return_when::first);
        CHECK(turn_number() - before == 1 + 2);
        // In the meantime another one has ended, and a third in this very turn.
        CHECK(first.done.size() == 3);
        REQUIRE(first.pending.size() == 1);
        CHECK(first.pending[0] == all[0]);

        const auto error = co_await wait(all, return_when::first_error);
        CHECK(turn_number() - before == 5);
        CHECK(end_of(all[2]) == "E");
        CHECK(end_of(all[0]) == "value");

        auto asleep = spawn(sleep_for(1h));
        const auto cut_short = co_await wait(asleep).within(1ms);
        CHECK(cut_short.done.empty());
        CHECK(cut_short.pending.size() == 1);
        CHECK(asleep.cancelling() == 0);
        const auto at_once = co_await wait(asleep).within(0s);
        CHECK(at_once.pending.size() == 1);
        asleep.cancel();
        const auto ended = co_await wait(asleep).within(1h);
        CHECK(ended.done.size() == 1);
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("TSK-10 wait for the first error goes on over values and cancelled tasks to the end of all") {
    run([]() -> task<> {
        std::vector<task_handle<int>> all;
        all.push_back(spawn(gives(1, 1)));
        const auto cancels_itself = []() -> task<int> {
            throw cancelled{};
            co_return 0;
        };
        all.push_back(spawn(cancels_itself));
        all.push_back(spawn(gives(3, 5)));
        const auto left = co_await wait(all, return_when::first_error);
        CHECK(left.done.size() == 3);
        CHECK(left.pending.empty());
    });
}

TEST_CASE("TSK-10 a cancelled wait leaves nothing with the tasks it waited for") {
    run([]() -> task<> {
        auto target = spawn(gives(7, 10));
        std::vector<task_handle<>> waiters;
        const auto waits = [&]() -> task<> { const auto ended = co_await wait(target, target); };
        for (int i = 0; i < 4; ++i)
            waiters.push_back(spawn(waits));
        co_await yield();
        waiters[0].cancel();
        waiters[2].cancel();
        co_await yield();
        CHECK(waiters[0].is_cancelled());
        CHECK(waiters[2].is_cancelled());
        waiters[2] = {};
        const auto ended = co_await wait(waiters[1], waiters[3]);
        CHECK(end_of(waiters[1]) == "value");
        CHECK(end_of(waiters[3]) == "value");
        CHECK(target.cancelling() == 0);

        // The target has ended, but the wait's own entry, or the waiter, has not had its turn.
        for (int turns = 0; turns < 2; ++turns) {
            INFO(turns);
            auto quick = spawn(gives(7, 1));
            auto waiter = spawn([&]() -> task<> { const auto done = co_await wait(quick); });
            while (!quick.is_done())
                co_await yield();
            for (int i = 0; i < turns; ++i)
                co_await yield();
            CHECK_FALSE(waiter.is_done());
            waiter.cancel();
            co_await yield();
            CHECK(waiter.is_cancelled());
        }
    });
}

TEST_CASE("TSK-10 a task can't wait for itself, nor for a handle that names no task; it goes on") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> {
            const task_ref self = this_task::handle();
            const auto left = co_await settled(wait(self));
            CHECK(usage_of(left) == errc::self_await);
            co_await yield();
        });
        co_await h;
        const auto left = co_await settled(wait(task_ref()));
        CHECK(usage_of(left) == errc::empty_handle);
        co_await yield();
    });
}

TEST_CASE("CAN-19 a shield wakes two turns after the task's end, and at once if the task had ended") {
    run([]() -> task<> {
        auto h = spawn(gives(7, 1));
        const auto before = turn_number();
        int& value = co_await shield(h);
        CHECK(value == 7);
        CHECK(turn_number() - before == 2 + 2);
        const auto later = turn_number();
        int& again = co_await shield(h);
        CHECK(&again == &value);
        CHECK(turn_number() == later);

        auto failed = spawn(fails<int>("E"));
        const auto left = co_await settled(shield(failed));
        CHECK(end_of(left) == "E");
    });
}

TEST_CASE("CAN-19 a request ends the shield with cancelled, and the task behind it goes on: its result is kept") {
    run([]() -> task<> {
        event go;
        auto inner = spawn([&]() -> task<int> {
            co_await go.wait();
            co_return 7;
        });
        const auto shields = [&]() -> task<> { co_await shield(inner); };
        auto outer = spawn(shields);
        auto undisturbed = spawn(shields);
        co_await yield();
        outer.cancel();
        co_await yield();
        CHECK(outer.is_cancelled());
        CHECK_FALSE(inner.is_done());
        CHECK(inner.cancelling() == 0);
        go.set();
        const int value = co_await inner;
        CHECK(value == 7);
        co_await undisturbed;

        // What is shielded may be no task yet: the loop owns it from then on.
        bool ended = false;
        const auto work = [&]() -> task<std::unique_ptr<int>> {
            co_await yield();
            co_await yield();
            ended = true;
            co_return std::make_unique<int>(8);
        };
        auto over_call = spawn([&]() -> task<> { const auto made = co_await shield(work); });
        co_await yield();
        over_call.cancel();
        co_await yield();
        CHECK(over_call.is_cancelled());
        CHECK_FALSE(ended);
        while (!ended)
            co_await yield();
        const auto made = co_await shield(work);
        CHECK(*made == 8);
    });
}

TEST_CASE("CAN-19 an error of the task behind a cancelled shield goes to the hook when its last handle goes") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto fails_later = [] { return fails<int>("E1", 3); };
        auto outer = spawn([&]() -> task<> { co_await shield(fails_later); });
        co_await yield();
        outer.cancel();
        for (int i = 0; i < 5; ++i)
            co_await yield();
        CHECK(outer.is_cancelled());
        CHECK(log.joined() == "E1");

        {
            auto kept = spawn(fails<int>("E2", 2));
            auto other = spawn([&]() -> task<> { co_await shield(kept); });
            co_await yield();
            other.cancel();
            for (int i = 0; i < 5; ++i)
                co_await yield();
            CHECK(log.size() == 1);
        }
        CHECK(log.joined() == "E1, E2");
    });
    CHECK(log.size() == 2);
}

TEST_CASE("CAN-19 a request between the shielded task's end and the shield's resumption wins") {
    run([]() -> task<> {
        for (int turns = 0; turns < 2; ++turns) {
            INFO(turns);
            auto inner = spawn(gives(7, 1));
            auto outer = spawn([&]() -> task<> { co_await shield(inner); });
            while (!inner.is_done())
                co_await yield();
            for (int i = 0; i < turns; ++i)
                co_await yield();
            CHECK_FALSE(outer.is_done());
            outer.cancel();
            co_await yield();
            CHECK(outer.is_cancelled());
            CHECK(inner.get() == 7);
        }
    });
}

TEST_CASE("CAN-19 a task can't shield itself") {
    run([]() -> task<> {
        task_handle<> self;
        self = spawn([&]() -> task<> {
            const auto left = co_await settled(shield(self));
            CHECK(usage_of(left) == errc::self_await);
        });
        co_await self;
        self = {};
    });
}

TEST_CASE("CAN-14 settled answers value, error or cancelled of any await, by value or by reference, and takes no turn of its own") {
    run([]() -> task<> {
        auto h = spawn(gives(7));
        co_await yield();
        const auto before = turn_number();
        auto joined = co_await settled(h);
        static_assert(std::is_same_v<decltype(joined), outcome<int&>>);
        CHECK(&joined.value() == &h.get());
        auto in_place = co_await settled(gives(8));
        static_assert(std::is_same_v<decltype(in_place), outcome<int>>);
        CHECK(in_place.has_value());
        CHECK(std::move(in_place).value() == 8);
        const auto makes = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(9); };
        auto owned = co_await settled(makes());
        const auto taken = std::move(owned).value();
        CHECK(*taken == 9);
        const auto failed = co_await settled(fails<int>("E"));
        CHECK(failed.is_error());
        CHECK(failed.threw<std::runtime_error>());
        CHECK(failed.threw<std::exception>());
        CHECK_FALSE(failed.threw<std::bad_alloc>());
        CHECK_THROWS_WITH(failed.rethrow(), "E");
        const auto twice = co_await settled(settled(fails<int>("E")));
        CHECK(twice.has_value());
        CHECK(turn_number() == before);

        this_task::handle().cancel();
        const auto left = co_await settled(sleep_for(1h));
        CHECK(left.is_cancelled());
        CHECK(left.threw<cancelled>());
        CHECK(left.error() == nullptr);
        CHECK_THROWS_AS(left.rethrow(), cancelled);
        CHECK(turn_number() == before + 1);
    });
}

TEST_CASE("CAN-14 finally runs the clean-up however the body ended, and gives what the body ended with") {
    trace t;
    run([&]() -> task<> {
        const auto cleans_up = [&]() -> task<> {
            co_await yield();
            t.note("clean" + std::to_string(turn_number()));
        };
        const auto value = co_await finally(gives(7, 1), cleans_up);
        CHECK(value == 7);
        const auto failed = co_await settled(finally([] { return fails<int>("E"); }, cleans_up));
        CHECK(end_of(failed) == "E");
        co_await finally(sleep_for(0s), cleans_up);

        auto h = spawn([&]() -> task<> { co_await finally(sleep_for(1h), cleans_up); });
        co_await yield();
        h.cancel();
        const auto ended = co_await wait(h);
        CHECK(h.is_cancelled());
    });
    CHECK(t.joined() == "clean3 clean4 clean6 clean9");
}

TEST_CASE("CAN-14 if body and clean-up both fail, a group of the two leaves, the body's first") {
    run([]() -> task<> {
        const auto bad_cleanup = [] { return fails<int>("E2"); };
        const auto void_cleanup = [&]() -> task<> { co_await bad_cleanup(); };
        const auto both = co_await settled(finally(fails<int>("E1"), void_cleanup));
        CHECK(end_of(both) == "group[E1 E2]");
        const auto one = co_await settled(finally(gives(7), void_cleanup));
        CHECK(end_of(one) == "E2");

        auto h = spawn([&]() -> task<> { co_await finally(sleep_for(1h), void_cleanup); });
        co_await yield();
        h.cancel();
        const auto ended = co_await wait(h);
        CHECK(end_of(h) == "group[cancelled E2]");
    });
}

TEST_CASE("CAN-15 a second request interrupts the clean-up of finally: two requests leave as one cancelled, no group") {
    run([]() -> task<> {
        bool went_on = false;
        const auto slow = [&]() -> task<> {
            co_await sleep_for(1h);
            went_on = true;
        };
        auto h = spawn([&]() -> task<> { co_await finally(sleep_for(1h), slow); });
        co_await yield();
        h.cancel();
        co_await yield();
        CHECK_FALSE(h.is_done());
        h.cancel();
        co_await yield();
        CHECK(h.is_done());
        CHECK_FALSE(went_on);
        CHECK(end_of(h) == "cancelled");
    });
}
