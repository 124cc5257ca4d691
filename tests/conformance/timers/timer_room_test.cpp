// timer_room_test.cpp - the memory of the timers' queue: none of a burst is kept, and shut down needs none.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMR-32 a burst of timers does not hold its memory when they are gone") {
    if (!allocations_are_counted || allocated_bytes() == 0)
        return;
    run([]() -> task<> {
        std::vector<callback_handle> burst;
        burst.reserve(200'000);
        const std::size_t before = allocated_bytes();
        for (int i = 0; i < 200'000; ++i)
            burst.push_back(loop::current().call_after(1h, [] {}));
        const std::size_t most = allocated_bytes() - before;
        for (callback_handle& h : burst) {
            h.cancel();
            h = {};
        }
        CHECK(loop::current().counters().armed_timers == 0);
        // What callbacks lie in is kept for others, up to a mebibyte.
        CHECK(most > std::size_t(8) << 20);
        CHECK(allocated_bytes() - before < std::size_t(2) << 20);
        co_return;
    });
}

TEST_CASE("TMR-33 shut down bounds itself and the pool without memory, however many timers are armed, or were") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    const auto ends_without_memory = [](int armed, int burst) {
        std::optional<failing_allocation> failing;
        run(run_options().real_threads(true).shutdown_grace(1min), [&]() -> task<> {
            co_await to_thread([] {});
            std::vector<callback_handle> handles;
            for (int i = 0; i < burst; ++i)
                handles.push_back(loop::current().call_after(1h, [] {}));
            for (int i = armed; i < burst; ++i)
                handles[static_cast<std::size_t>(i)].cancel();
            for (int i = burst; i < armed; ++i)
                handles.push_back(loop::current().call_after(1h, [] {}));
            handles.clear();
            CHECK(loop::current().counters().armed_timers == static_cast<std::size_t>(armed));
            failing.emplace(1);
        });
        return true;
    };
    // Without room the process would end: it is asked for where nothing can be thrown.
    for (int armed = 0; armed <= 70; ++armed)
        CHECK(ends_without_memory(armed, 0));
    for (int armed = 100; armed <= 300; ++armed)
        CHECK(ends_without_memory(armed, 1100));
}
