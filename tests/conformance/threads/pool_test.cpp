// pool_test.cpp - calls on pool threads: what they give, and how they end when they are cancelled.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/semaphore.hpp>

#include <stdexcept>
#include <thread>

using namespace corun;

TEST_CASE("THR-07 to_thread gives the call's value or its exception, and its task goes on on the loop's thread") {
    const auto loops_thread = std::this_thread::get_id();
    run(run_options().real_threads(true), [&]() -> task<> {
        const auto asks = [] { return std::this_thread::get_id(); };
        const auto where = co_await to_thread(asks);
        CHECK(where != loops_thread);
        CHECK(std::this_thread::get_id() == loops_thread);

        const auto throws = [] { throw std::runtime_error("E"); };
        const auto end = co_await settled(to_thread(throws));
        CHECK(end.threw<std::runtime_error>());
        CHECK(std::this_thread::get_id() == loops_thread);
    });
}

TEST_CASE("THR-09 a call that runs ends with its result although its task is cancelled, and the request comes next") {
    int given = 0;
    bool cancelled_next = false;
    run(run_options().real_threads(true), [&]() -> task<> {
        testing::semaphore begun(0);
        testing::semaphore may_end(0);
        const auto job = [&] {
            begun.release();
            may_end.acquire();
            return 7;
        };
        const auto calls = [&]() -> task<> {
            given = co_await to_thread(job);
            const auto end = co_await settled(yield());
            cancelled_next = end.is_cancelled();
        };
        auto calling = spawn(calls);
        co_await yield();
        begun.acquire();
        CHECK(calling.cancel());
        co_await yield();
        CHECK_FALSE(calling.is_done());
        may_end.release();
        co_await wait(calling);
    });
    CHECK(given == 7);
    CHECK(cancelled_next);
}
