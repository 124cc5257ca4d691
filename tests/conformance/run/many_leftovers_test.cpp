// many_leftovers_test.cpp - the end of a run that leaves very many tasks, without memory for a list of them.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/deaf_tasks.hpp>
#include <support/hook_log.hpp>
#include <support/virtual_time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RES-45 without memory for a list of very many left-over tasks, they are cancelled in their order and within seconds") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    constexpr std::size_t count = 50'000;   // where looking at all of them for each takes longer than a case may
    hook_log log;
    std::vector<std::size_t> ends;
    ends.reserve(count);
    std::optional<failing_allocation> refused;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto leftover = [&ends](std::size_t i) -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            ends.push_back(i);
            end.rethrow();
        };
        for (std::size_t i = 0; i < count; ++i)
            spawn(leftover, i);
        co_await yield();
        co_await yield();
        refused.emplace(1);
    });
    CHECK(refused->has_failed());
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "no memory for a list of the left-over tasks; they are cancelled one after another");
    CHECK(ends.size() == count);
    CHECK(std::is_sorted(ends.begin(), ends.end()));
}

TEST_CASE("RES-46 without memory for a list of 300 tasks that do not stop, they are told of in their order and destroyed in the reverse") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    constexpr std::size_t count = 300;   // more than are looked at in one go
    std::vector<std::size_t> ends;
    ends.reserve(count);
    std::vector<std::uint64_t> told;
    told.reserve(count);
    std::optional<failing_allocation> refused;
    std::vector<bool> was_refused;   // the list of those that are cancelled, told of, destroyed
    was_refused.reserve(3);
    const auto hook = [&](const exception_report& r) {
        if (told.empty())
            was_refused.push_back(refused->has_failed());
        if (r.message == "a task did not stop within the shutdown grace")
            told.push_back(r.task_id);
        if (told.empty())
            refused.emplace(1);
        else if (told.size() == count)
            refused.emplace(2);   // the next list is of those that are asked to give back what they have lent
    };
    run(virtual_time().shutdown_grace(10ms).on_exception(hook), [&]() -> task<> {
        co_await start_deaf_tasks(ends, count);
        refused.emplace(1);
    });
    was_refused.push_back(refused->has_failed());
    refused.reset();
    CHECK(was_refused == std::vector<bool>{true, true, true});
    CHECK(told.size() == count);
    CHECK(std::is_sorted(told.begin(), told.end()));
    CHECK(ends.size() == count);
    CHECK(std::is_sorted(ends.rbegin(), ends.rend()));
}
