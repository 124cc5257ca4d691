// cancel_count_test.cpp - how requests are counted, taken back, and what becomes of one that comes too late.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("CAN-10 two requests before delivery are one exception and a count of two") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn([&]() -> task<> {
            const auto first = co_await settled(sleep_for(1h));
            t.note(end_of(first) + std::to_string(this_task::handle().cancelling()));
            const auto second = co_await settled(yield());
            t.note(end_of(second) + std::to_string(this_task::handle().cancelling()));
            const auto third = co_await settled(sleep_for(1h));
            t.note(end_of(third) + std::to_string(this_task::handle().cancelling()));
        });
        CHECK(h.cancelling() == 0);
        co_await yield();
        CHECK(h.cancel());
        CHECK(h.cancel());
        CHECK(h.cancelling() == 2);
        co_await yield();
        co_await yield();
        CHECK(h.cancel());   // after a delivery: another one
        co_await h;
    });
    CHECK(t.joined() == "cancelled2 value2 cancelled3");
}

TEST_CASE("LOOP-21 two requests before a call on a thread or a callback has begun are one exception as well") {
    const auto begins_never = [](auto make) {
        run([&]() -> task<> {
            task_handle<> h;
            const auto asks_itself = [&]() -> task<> {
                h.cancel();
                loop::current().call_soon([&] { h.cancel(); });   // before the task resumes
                const auto first = co_await settled(make());
                CHECK(end_of(first) == "cancelled");
                const auto second = co_await settled(yield());
                CHECK(end_of(second) == "value");
                CHECK(h.cancelling() == 2);
            };
            h = spawn(asks_itself);
            co_await h;
        });
    };
    begins_never([] { return to_thread([] { FAIL("it was called"); }); });
    begins_never([] { return from_callback<int>([](resolver<int>) { FAIL("it was called"); }); });
}

TEST_CASE("CAN-10 two requests before the first step are one as well, and the task never begins") {
    run([]() -> task<> {
        bool began = false;
        auto h = spawn([&]() -> task<> {
            began = true;
            co_return;
        });
        CHECK(h.cancel());
        CHECK(h.cancel());
        co_await yield();
        CHECK(h.is_cancelled());
        CHECK_FALSE(began);
        CHECK(h.cancelling() == 2);
    });
}

TEST_CASE("CAN-10 a request to a task that is ready after another one is delivered with it, not after it") {
    trace t;
    run([&]() -> task<> {
        event set;
        auto h = spawn([&]() -> task<> {
            const auto first = co_await settled(set.wait());
            t.note(end_of(first));
            const auto second = co_await settled(yield());
            t.note(end_of(second));
        });
        co_await yield();
        set.set();
        h.cancel();   // given already: the request stays with the task
        h.cancel();
        co_await h;
        CHECK(h.cancelling() == 2);
    });
    CHECK(t.joined() == "cancelled value");
}

TEST_CASE("CAN-10 uncancel to zero takes back a request that no await has been given") {
    run([]() -> task<> {
        const task_ref self = this_task::handle();
        CHECK(self.uncancel() == 0);
        self.cancel();
        CHECK(self.uncancel() == 0);
        co_await yield();

        self.cancel();
        self.cancel();
        CHECK(self.uncancel() == 1);
        CHECK(self.uncancel() == 0);
        co_await yield();

        bool began = false;
        auto h = spawn([&]() -> task<> {
            began = true;
            co_return;
        });
        h.cancel();
        CHECK(h.uncancel() == 0);
        co_await h;
        CHECK(began);
    });
}

TEST_CASE("CAN-10 uncancel to more than zero takes nothing back: what is left is somebody else's request") {
    run([]() -> task<> {
        const task_ref self = this_task::handle();
        self.cancel();
        self.cancel();
        CHECK(self.uncancel() == 1);
        const auto left = co_await settled(yield());
        CHECK(left.is_cancelled());
    });
}

TEST_CASE("CAN-10 uncancel takes nothing back that an await has been given, though its task has not resumed") {
    run([]() -> task<> {
        event unset;
        auto h = spawn([&]() -> task<> { co_await unset.wait(); });
        co_await yield();
        h.cancel();
        CHECK(h.uncancel() == 0);
        co_await yield();
        CHECK(h.is_cancelled());

        // One that was ready already had been given something else.
        auto ready = spawn([&]() -> task<> { co_await unset.wait(); });
        co_await yield();
        unset.set();
        ready.cancel();
        CHECK(ready.uncancel() == 0);
        co_await yield();
        CHECK(end_of(ready) == "value");
    });
}

TEST_CASE("CAN-17 a task that cancels itself goes on to its next suspension") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn([&]() -> task<> {
            CHECK(this_task::handle().cancel());
            t.note("on" + std::to_string(turn_number()));
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left) + std::to_string(turn_number()));
        });
        co_await h;
    });
    CHECK(t.joined() == "on2 cancelled3");
}

TEST_CASE("CAN-17 a task that returns or throws before the delivery ends with that, in the count the request stays") {
    run([]() -> task<> {
        auto returns = spawn([]() -> task<int> {
            this_task::handle().cancel();
            co_return 7;
        });
        auto throws = spawn([]() -> task<int> {
            this_task::handle().cancel();
            throw std::runtime_error("E");
            co_return 0;
        });
        const int value = co_await returns;
        CHECK(value == 7);
        CHECK(returns.cancelling() == 1);
        CHECK_FALSE(returns.is_cancelled());
        CHECK(end_of(throws) == "E");

        // The request comes from outside while the task is on its way to its end.
        event set;
        auto given = spawn([&]() -> task<int> {
            const auto left = co_await settled(set.wait());
            this_task::handle().cancel();
            co_return left.has_value() ? 8 : 0;
        });
        co_await yield();
        set.set();
        const int last = co_await given;
        CHECK(last == 8);
    });
}

TEST_CASE("CAN-17 main that cancels itself and returns gives its value") {
    CHECK(run([]() -> task<int> {
              this_task::handle().cancel();
              co_return 7;
          }) == 7);
}

TEST_CASE("CAN-21 after expired scopes and failed groups, one inside the other, the count is what it was") {
    run([]() -> task<> {
        const task_ref self = this_task::handle();
        const auto fails = []() -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        const auto failing_group = [&](task_group& g) -> task<> {
            g.spawn(fails);
            co_await sleep_for(1h);
        };
        const auto expiring_inside = [&](task_group& g) -> task<> {
            g.spawn(sleep_for(1h));
            co_await timeout(0s, sleep_for(1h));
        };
        const auto quiet_group = [&](task_group& g) -> task<> {
            g.spawn(sleep_for(1h));
            g.cancel();
            co_await sleep_for(1h);
        };
        const auto all = [&]() -> task<std::string> {
            std::string ends;
            const auto a = co_await settled(timeout(1h, with_task_group(failing_group)));
            ends += end_of(a) + std::to_string(self.cancelling()) + " ";
            const auto b = co_await settled(with_task_group(expiring_inside));
            ends += end_of(b) + std::to_string(self.cancelling()) + " ";
            const auto c = co_await settled(timeout(0s, timeout(1h, sleep_for(1h))));
            ends += end_of(c) + std::to_string(self.cancelling()) + " ";
            const auto d = co_await settled(with_task_group(quiet_group));
            ends += end_of(d) + std::to_string(self.cancelling()) + " ";
            const auto e = co_await settled(timeout(0s, with_task_group(quiet_group)));
            ends += end_of(e) + std::to_string(self.cancelling());
            co_return ends;
        };
        const std::string at_zero = co_await all();
        CHECK(at_zero == "group[E]0 group[timed_out]0 timed_out0 value0 timed_out0");

        // A task that has swallowed a request lives on with a count of one: the same scopes work as before.
        self.cancel();
        const auto swallowed = co_await settled(yield());
        CHECK(swallowed.is_cancelled());
        CHECK(self.cancelling() == 1);
        const auto left = co_await settled(timeout(0s, sleep_for(1h)));
        CHECK(end_of(left) == "timed_out");
        CHECK(self.cancelling() == 1);
        const auto quiet = co_await settled(with_task_group(quiet_group));
        CHECK(end_of(quiet) == "value");
        CHECK(self.cancelling() == 1);
    });
}
