// thread_exhaustion_test.cpp - calls for pool threads where the system has no further thread. Here, not in the conformance suite: the
// limit is the C library's.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/semaphore.hpp>
#include <unit/no_threads.hpp>

#include <atomic>
#include <system_error>

using namespace corun;
using namespace std::chrono_literals;

namespace {

int seven() { return 7; }

}

TEST_CASE("RES-08 a call for which no thread can be started is an error of that call, and the loop and the pool go on") {
    run([]() -> task<> {
        {
            const no_threads none;
            for (int i = 0; i < 3; ++i) {
                const auto end = co_await settled(to_thread(&seven));
                REQUIRE(end.threw<std::system_error>());
                try {
                    end.rethrow();
                } catch (const std::system_error& e) {
                    CHECK(e.code() == std::errc::resource_unavailable_try_again);
                }
            }
            co_await sleep_for(1ms);   // the loop is alive
        }
        const int value = co_await to_thread(&seven);
        CHECK(value == 7);
    });
}

TEST_CASE("RES-08 beside a thread that is at work a call for which none can be started waits for that one") {
    run([]() -> task<> {
        testing::semaphore begun(0);
        testing::semaphore may_end(0);
        std::atomic<bool> first_ended = false;
        const auto job = [&] {
            begun.release();
            may_end.acquire();
            first_ended = true;
        };
        const auto calls = [&]() -> task<> { co_await to_thread(job); };
        auto first = spawn(calls);
        co_await yield();
        begun.acquire();
        const no_threads none;
        const auto calls_next = [&]() -> task<bool> {
            const auto asks = [&] { return first_ended.load(); };
            const bool was_after = co_await to_thread(asks);
            co_return was_after;
        };
        auto next = spawn(calls_next);
        for (int i = 0; i < 10; ++i)
            co_await yield();
        CHECK_FALSE(next.is_done());
        may_end.release();
        const bool was_after = co_await next;
        CHECK(was_after);
        co_await first;
    });
}
