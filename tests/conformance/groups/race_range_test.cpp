// race_range_test.cpp - races among as many as a range holds.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <cstddef>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> sleeps(duration d) { co_await sleep_for(d); }

}

TEST_CASE("GRP-27 race() of a range gives which was first and its value; the others are cancelled and waited for") {
    run([]() -> task<> {
        trace t;
        const auto loses = [&t](int value) -> task<int> {
            const auto left = co_await settled(sleep_for(1h));
            co_await yield();
            t.note(end_of(left));
            left.rethrow();
            co_return value;
        };
        std::vector<task<int>> tasks;
        tasks.push_back(loses(1));
        tasks.push_back(gives(2, 1));
        tasks.push_back(loses(3));
        const auto [index, value] = co_await race(std::move(tasks));
        CHECK(index == 1);
        CHECK(value == 2);
        CHECK(t.joined() == "cancelled cancelled");

        std::vector<task<>> voids;
        voids.push_back(sleeps(1h));
        voids.push_back(sleeps(0s));
        const std::size_t first = co_await race(std::move(voids));
        CHECK(first == 1);

        // Handles can be copied: the vector stays the caller's.
        const std::vector<task_handle<int>> handles{spawn(gives(4, 1)), spawn(gives(5, 1))};
        const auto [place, given] = co_await race(handles);
        CHECK(place == 0);
        CHECK(given == 4);
        const auto both = co_await settled(gather(handles));
        CHECK(handles.size() == 2);

        const auto empty = co_await settled(race(std::vector<task<int>>()));
        CHECK(usage_of(empty) == errc::invalid_argument);
    });
}
