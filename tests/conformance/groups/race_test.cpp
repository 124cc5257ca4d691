// race_test.cpp - the first to end decides, and nobody is left running.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Sleeps until it is asked to end, which takes a turn; then gives a value.
task<std::string> stubborn(trace& t, std::string name) {
    const auto left = co_await settled(sleep_for(1h));
    t.note(name + ":" + end_of(left) + std::to_string(turn_number()));
    co_await yield();
    t.note(name + ":ended" + std::to_string(turn_number()));
    co_return name;
}

}

TEST_CASE("CAN-13 a race gives the winner's value after the losers have ended; their cancel doesn't show") {
    trace t;
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto won = co_await race(stubborn(t, "a"), gives(7, 1), sleep_for(1h));
        static_assert(std::is_same_v<decltype(won), const std::variant<std::string, int, std::monostate>>);
        t.note("raced" + std::to_string(turn_number()));
        REQUIRE(won.index() == 1);
        CHECK(std::get<1>(won) == 7);
        CHECK(loop::current().counters().tasks == 1);
        CHECK(loop::current().counters().armed_timers == 0);
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    // It ends in turn 3, and the others are asked; 4 and 5: the last of them; 6: its bookkeeping.
    CHECK(t.joined() == "a:cancelled4 a:ended5 raced7");
    CHECK(log.empty());
}

TEST_CASE("CAN-13 of two that end in the same turn the first in the queue wins") {
    run([]() -> task<> {
        const auto won = co_await race(gives(1, 2), gives(2, 1), gives(3, 1));
        CHECK(won.index() == 1);
        const auto alone = co_await race(gives(4, 0));
        CHECK(std::get<0>(alone) == 4);
    });
}

TEST_CASE("CAN-13 a race's value is moved out, a loser's value is destroyed") {
    lifetimes of_values;
    run([&]() -> task<> {
        const auto makes = [&](int turns) -> task<counted> {
            counted value(of_values);
            for (int i = 0; i < turns; ++i)
                co_await yield();
            co_return std::move(value);
        };
        {
            const auto won = co_await race(makes(1), makes(1));
            CHECK(won.index() == 0);
            CHECK(of_values.alive() == 1);
        }
        CHECK(of_values.copied == 0);
        const auto owns = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        const auto owned = co_await race(owns, sleep_for(1h));
        CHECK(*std::get<0>(owned) == 7);
    });
    CHECK(of_values.alive() == 0);
}

TEST_CASE("CAN-13 an error may win: it leaves as it is, after the losers have ended") {
    trace t;
    run([&]() -> task<> {
        const auto fails = []() -> task<int> {
            throw std::runtime_error("E");
            co_return 0;
        };
        const auto left = co_await settled(race(stubborn(t, "a"), fails));
        t.note(end_of(left) + std::to_string(turn_number()));
        CHECK(left.threw<std::runtime_error>());

        auto target = spawn(sleep_for(1h));
        loop::current().call_after(1ms, [&] { target.cancel(); });
        const auto by_others = co_await settled(race(sleep_for(1h), target));
        CHECK(end_of(by_others) == "task_cancelled");
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "a:cancelled3 a:ended4 E6");
}

TEST_CASE("CAN-13 a loser's error goes to the hook, once") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto fails_when_asked = []() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            throw std::runtime_error("E");
        };
        const auto won = co_await race(fails_when_asked, gives(7, 1));
        CHECK(won.index() == 1);
        co_await yield();
        CHECK(log.joined() == "E");
    });
    CHECK(log.size() == 1);
}

TEST_CASE("CAN-13 a request to who races ends everybody, waits for them, and leaves as cancelled") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn(race(stubborn(t, "a"), sleep_for(1h)));
        co_await yield();
        co_await yield();
        h.cancel();
        const auto ended = co_await wait(h);
        CHECK(end_of(h) == "cancelled");
        CHECK(t.events().size() == 2);
        CHECK(loop::current().counters().tasks == 1);
    });
}

TEST_CASE("CAN-13 a request after a race is decided doesn't take the winner's value: it is delivered at the next suspension") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn([&]() -> task<> {
            const auto won = co_await race(gives(7, 1), stubborn(t, "b"));
            t.note(std::to_string(std::get<0>(won)));
            const auto next = co_await settled(yield());
            t.note(end_of(next));
        });
        while (t.empty())
            co_await yield();
        h.cancel();   // the loser cleans up
        co_await h;
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "b:cancelled5 b:ended6 7 cancelled");
}

TEST_CASE("CAN-13 a timeout that expires while a race's losers end gives the value, and no request is left") {
    run([]() -> task<> {
        const auto slow_to_end = []() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            co_await sleep_for(5ms);
        };
        timeout_scope scope(2ms);
        const auto won = co_await scope.run(race(gives(7, 1), slow_to_end));
        CHECK(std::get<0>(won) == 7);
        CHECK(scope.is_expired());
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
}

TEST_CASE("TMR-23 what the loser of a race was given in the turn in which the winner ended is not lost") {
    run([]() -> task<> {
        queue<int> items;
        for (const bool winner_is_first : {true, false}) {
            event over;
            const auto waits = [&over]() -> task<> { co_await over.wait(); };
            const auto gets = [&items]() -> task<int> { co_return co_await items.get(); };
            const auto both = [&] {
                if (winner_is_first)
                    over.set();
                (void)items.try_put(7);
                over.set();
            };
            loop::current().call_after(1ms, both);
            const auto first = co_await race(waits, gets);
            const auto left = items.try_get();
            CHECK((first.index() == 1) != left.has_value());
            CHECK((first.index() == 0) == winner_is_first);
        }
    });
}
