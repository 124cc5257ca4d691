// gather_settled_test.cpp - every outcome, and tasks in the order of their end.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/virtual_time.hpp>

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<int> gives(std::chrono::milliseconds after, int value) {
    co_await sleep_for(after);
    if (value < 0)
        throw std::runtime_error("E");
    co_return value;
}

}

TEST_CASE("GRP-04 gather_settled waits for all and gives every outcome; a failure cancels nobody") {
    run(virtual_time(), []() -> task<> {
        auto [good, bad, late] = co_await gather_settled(gives(1ms, 1), gives(2ms, -1), gives(3ms, 3));
        CHECK(good.value() == 1);
        CHECK(bad.threw<std::runtime_error>());
        CHECK(late.value() == 3);

        std::vector<task<int>> works;
        works.push_back(gives(2ms, -1));
        works.push_back(gives(1ms, 2));
        auto ends = co_await gather_settled(std::move(works));
        REQUIRE(ends.size() == 2);
        CHECK(ends[0].is_error());
        CHECK(ends[1].value() == 2);
    });
}

TEST_CASE("GRP-07 a request to gather_settled cancels all, waits for them, and leaves as cancelled") {
    int ended = 0;
    run(virtual_time(), [&ended]() -> task<> {
        const auto works = [&ended]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            co_await yield();
            ended += end.is_cancelled();
        };
        const auto both = [works]() -> task<> { co_await gather_settled(works, works); };
        auto gathering = spawn(both);
        co_await sleep_for(1ms);
        gathering.cancel();
        co_await wait(gathering);
        CHECK(gathering.is_cancelled());
        CHECK(ended == 2);
    });
}

TEST_CASE("TSK-11 as_completed gives tasks in the order in which they end, and cancels none") {
    std::vector<int> order;
    run(virtual_time(), [&order]() -> task<> {
        std::vector<task_handle<int>> tasks;
        tasks.push_back(spawn(gives(30ms, 3)));
        tasks.push_back(spawn(gives(10ms, 1)));
        tasks.push_back(spawn(gives(20ms, 2)));
        const auto left_alone = tasks[0];
        {
            auto done = as_completed(tasks);
            for (int i = 0; i < 2; ++i) {
                auto one = co_await done.next();
                const int value = co_await *one;
                order.push_back(value);
            }
        }
        CHECK_FALSE(left_alone.is_done());
        auto rest = as_completed(tasks);
        for (int i = 0; i < 3; ++i) {
            auto one = co_await rest.next();
            const int value = co_await *one;
            order.push_back(value);
        }
        const auto none = co_await rest.next();
        CHECK_FALSE(none.has_value());
    });
    CHECK(order == std::vector<int>{1, 2, 1, 2, 3});
}
