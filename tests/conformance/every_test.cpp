// every_test.cpp - a beat keeps its phase, and lateness costs beats, not a burst.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/virtual_time.hpp>

#include <chrono>
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
    CHECK_THROWS_AS(every(0ms), usage_error);
    CHECK_THROWS_AS(every(-1ms), usage_error);
}
