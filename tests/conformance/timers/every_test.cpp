// every_test.cpp - a beat keeps its phase, and lateness costs beats, not a burst.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/usage.hpp>
#include <support/virtual_time.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMR-17 a beat whose work takes longer than its period fires once when it is late, and keeps its phase") {
    std::vector<std::chrono::milliseconds> times;
    run(virtual_time(), [&times]() -> task<> {
        auto beat = every(10ms);
        const time_point began = loop::current().time();
        for (int i = 0; i < 6; ++i) {
            co_await beat;
            times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(loop::current().time() - began));
            if (i == 1)
                co_await sleep_for(35ms);   // misses 30, 40 and 50
        }
    });
    CHECK(times == std::vector<std::chrono::milliseconds>{10ms, 20ms, 55ms, 60ms, 70ms, 80ms});
}

TEST_CASE("TMR-17 a period that is not positive is refused") {
    CHECK(usage_of([] { (void)every(0ms); }) == errc::invalid_argument);
    CHECK(usage_of([] { (void)every(-1ms); }) == errc::invalid_argument);
}

TEST_CASE("TMR-21 a beat that loses a race is not taken: what comes more often than the period does not starve it") {
    run(virtual_time(), []() -> task<> {
        queue<int> messages;
        auto beat = every(10ms);
        auto feeder = spawn([&messages]() -> task<> {
            co_await sleep_for(1ms);   // never at the time of a beat
            for (int i = 0; i < 25; ++i) {
                co_await sleep_for(4ms);
                (void)messages.try_put(i);
            }
        });
        std::vector<std::chrono::milliseconds> beats;
        const time_point began = loop::current().time();
        int taken = 0;
        while (taken < 25) {
            const auto first = co_await race(beat.next(), messages.get());
            if (first.index() == 0)
                beats.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(loop::current().time() - began));
            else
                ++taken;
        }
        co_await feeder;
        CHECK(beats.size() >= 9);
        for (std::size_t i = 0; i < beats.size(); ++i)
            CHECK(beats[i] == (i + 1) * 10ms);
    });
}

TEST_CASE("TMR-22 an await of a beat that a request ended has taken none: the next await has the same beat") {
    run(virtual_time(), []() -> task<> {
        auto beat = every(10ms);
        const time_point began = loop::current().time();
        const auto early = co_await settled(timeout(4ms, beat));
        CHECK(end_of(early) == "timed_out");
        co_await beat;
        CHECK(loop::current().time() - began == 10ms);
        const auto again = co_await settled(timeout(4ms, beat.next()));
        CHECK(end_of(again) == "timed_out");
        co_await sleep_for(8ms);   // the beat at 20 ms is missed: it is given at once
        co_await beat;
        CHECK(loop::current().time() - began == 22ms);
        co_await beat;
        CHECK(loop::current().time() - began == 30ms);
    });
}
