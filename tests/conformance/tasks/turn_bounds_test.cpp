// turn_bounds_test.cpp - what a turn does first, and how long work may keep it from looking at the system (3.1).
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hand_clock.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RDY-21 in a turn what was posted comes before the timers that are due") {
    trace t;
    run([&]() -> task<> {
        loop::current().call_after(0s, [&t] { t.note("timer"); });
        loop::current().ref().post([&t] { t.note("post"); });
        co_await turns(3);
    });
    CHECK(t.joined() == "post timer");
}

TEST_CASE("RDY-22 a thousand resumptions are the most that come between two looks at the system, though the clock stands still") {
    hand_clock c;
    run(by_hand(c), []() -> task<> {
        for (int i = 0; i < 99; ++i)
            spawn(turns(100));
        co_await turns(100);
    });
    REQUIRE(c.resumptions.back() > 9'000);
    std::uint64_t most = 0;
    for (std::size_t i = 1; i < c.resumptions.size(); ++i)
        most = std::max(most, c.resumptions[i] - c.resumptions[i - 1]);
    CHECK(most <= 1'100);   // the bound is looked at between turns, and a turn has a hundred
    CHECK(most >= 500);
}

TEST_CASE("RDY-23 slow turns look at the system each time; when they have become quick again, one in sixty does") {
    hand_clock c;
    run(by_hand(c), [&c]() -> task<> {
        for (int i = 0; i < 100; ++i) {
            c.now += 1ms;
            co_await yield();
        }
        const std::uint64_t slow = c.waits;
        for (int i = 0; i < 50; ++i) {
            c.now += 1ms;
            co_await yield();
        }
        CHECK(c.waits - slow >= 49);

        co_await turns(500);
        const std::uint64_t quick = c.waits;
        co_await turns(600);
        CHECK(c.waits - quick <= 12);
    });
}

TEST_CASE("RDY-24 sleep_for(0) is a place in the ready queue and reads no clock") {
    hand_clock c;
    run(by_hand(c), [&c]() -> task<> {
        co_await turns(100);
        const std::uint64_t before = c.reads;
        for (int i = 0; i < 60; ++i)
            co_await sleep_for(0s);
        // Those of the turns themselves: with each wait, and with each eighth turn that skips it.
        CHECK(c.reads - before <= 20);
    });
}
