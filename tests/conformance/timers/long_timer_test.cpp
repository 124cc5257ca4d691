// long_timer_test.cpp - timers beyond five minutes, and any order of arming and cancelling against a model.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/virtual_time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <tuple>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMR-12 a timer of five minutes and a second fires after that, not at five minutes") {
    duration took{};
    run(virtual_time(), [&took]() -> task<> {
        const time_point began = loop::current().time();
        co_await sleep_for(5min + 1s);
        took = loop::current().time() - began;
    });
    CHECK(took == 5min + 1s);
}

TEST_CASE("TMR-14 ten thousand timers armed and cancelled at random fire as a model says, by deadline and creation") {
    struct armed {
        int deadline;
        int number;
        bool cancelled;
    };
    std::vector<armed> model;
    std::vector<int> fired;
    run(virtual_time(), [&]() -> task<> {
        std::uint32_t random = 0x9e3779b9;
        const auto draw = [&random](std::uint32_t below) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            return static_cast<int>(random % below);
        };
        const time_point began = loop::current().time();
        std::vector<callback_handle> handles;
        for (int i = 0; i < 10'000; ++i) {
            const int deadline = 1 + draw(200);
            handles.push_back(loop::current().call_at(began + std::chrono::milliseconds(deadline), [&fired, i] { fired.push_back(i); }));
            model.push_back({deadline, i, false});
            const auto victim = static_cast<std::size_t>(draw(static_cast<std::uint32_t>(model.size())));
            if (draw(3) == 0)
                model[victim].cancelled = handles[victim].cancel() || model[victim].cancelled;
        }
        co_await sleep_until(began + 1s);
        CHECK(loop::current().counters().armed_timers == 0);
    });
    std::sort(model.begin(), model.end(),
              [](const armed& a, const armed& b) { return std::tie(a.deadline, a.number) < std::tie(b.deadline, b.number); });
    std::vector<int> expected;
    for (const armed& a : model)
        if (!a.cancelled)
            expected.push_back(a.number);
    CHECK(fired == expected);
}
