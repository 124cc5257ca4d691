// given_up_test.cpp - the end of a run whose grace is over: what is destroyed by force, in which order, whatever there is no memory for.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/deaf_tasks.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/virtual_time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RES-46 whichever allocation of its end fails, 300 tasks that do not stop are destroyed in the reverse of their order") {
    if (!allocations_are_counted)
        return;
    constexpr std::size_t count = 300;   // more than are looked at in one go
    int failed = 0;
    for (std::size_t nth = 1; nth <= 8; ++nth) {
        std::vector<std::size_t> ends;
        ends.reserve(count);
        std::size_t told = 0;
        std::optional<failing_allocation> refused;
        const auto hook = [&](const exception_report& r) {
            if (r.message == "a task did not stop within the shutdown grace" && ++told == count)
                refused.emplace(nth);
        };
        run(virtual_time().shutdown_grace(10ms).on_exception(hook), [&]() -> task<> { co_await start_deaf_tasks(ends, count); });
        failed += refused->has_failed();
        refused.reset();
        INFO("allocation " << nth);
        CHECK(ends.size() == count);
        CHECK(std::is_sorted(ends.rbegin(), ends.rend()));
    }
    CHECK(failed >= 2);   // the list of those that give back what they have lent, and that of those that are destroyed
}

TEST_CASE("RES-46 whichever allocation of a report fails, each of the tasks that do not stop is told of, by what there is memory for") {
    if (!allocations_are_counted)
        return;
    int without_words = 0;
    for (std::size_t nth = 1; nth <= 8; ++nth) {
        std::vector<std::string> told;
        told.reserve(2);
        std::optional<failing_allocation> refused;
        const auto hook = [&](const exception_report& r) {
            refused.reset();
            told.push_back(text_of(r.error));
            if (told.size() == 1)
                refused.emplace(nth);   // in what is made for the second
        };
        run(virtual_time().shutdown_grace(0s).on_exception(hook), []() -> task<> {
            for (int i = 0; i < 2; ++i) {
                spawn([]() -> task<> {
                    for (;;)
                        (void)co_await settled(sleep_for(1h));
                });
            }
            co_await yield();
            co_await yield();
        });
        INFO("allocation " << nth);
        REQUIRE(told.size() == 2);
        CHECK(told[0].find("sleep") != std::string::npos);
        without_words += told[1] == std::bad_alloc().what();
    }
    CHECK(without_words >= 1);
}

TEST_CASE("A generator that has begun and outlives a run that was given up keeps its frame until it goes itself") {
    std::vector<std::size_t> ends;
    {
        std::optional<generator<int>> numbers;
        run(virtual_time().shutdown_grace(0s).on_exception([](const exception_report&) {}), [&]() -> task<> {
            numbers.emplace([](std::vector<std::size_t>& to) -> generator<int> {
                const notes_end local(to, 1);
                for (int i = 0;; ++i)
                    co_yield i;
            }(ends));
            (void)co_await numbers->next();
            spawn([]() -> task<> {
                for (;;)
                    (void)co_await settled(sleep_for(1h));
            });
            co_await yield();
            co_await yield();
        });
        CHECK(ends.empty());
    }
    CHECK(ends == std::vector<std::size_t>{1});
}
