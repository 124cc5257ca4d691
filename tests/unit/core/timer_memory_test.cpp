// timer_memory_test.cpp - callbacks for a time, when there is no memory for the callback or for its place among the timers.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/lifetimes.hpp>

#include <cstddef>
#include <new>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a call_after that gets no memory throws bad_alloc and drops its function, whichever allocation fails") {
    if (!allocations_are_counted)
        return;
    lifetimes of_functions;   // outlives the loop, which drops those that wait
    run([&of_functions]() -> task<> {
        constexpr int count = 100;   // more than there is room for from the beginning
        const auto function = [&of_functions] { return [own = counted(of_functions)] {}; };
        // From now on the free lists hold what callbacks lie in.
        for (int i = 0; i <= count; ++i)
            loop::current().call_soon(function());
        co_await yield();
        int without_callback = 0;
        int without_place = 0;
        for (int armed = 0; armed < count; ++armed) {
            bool failed = true;
            for (std::size_t nth = 1; failed; ++nth) {
                const std::size_t bytes = allocated_bytes();
                const int moved = of_functions.moved;
                {
                    const failing_allocation failing(nth);
                    try {
                        loop::current().call_after(1h, function());
                        failed = false;
                    } catch (const std::bad_alloc&) {
                    }
                    CHECK(failed == failing.has_failed());
                }
                const int now_armed = failed ? armed : armed + 1;
                CHECK(of_functions.alive() == now_armed);
                CHECK(loop::current().counters().armed_timers == static_cast<std::size_t>(now_armed));
                if (failed) {
                    CHECK(allocated_bytes() <= bytes);
                    ++(of_functions.moved == moved ? without_callback : without_place);
                }
            }
        }
        INFO(without_callback << " without a callback");
        CHECK(without_place > 0);
    });
    CHECK(of_functions.alive() == 0);
}
