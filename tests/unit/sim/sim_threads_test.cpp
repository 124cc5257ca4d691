// sim_threads_test.cpp - calls on threads in a simulation: made in their turn on the loop's thread, or on real ones.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/semaphore.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("in a simulation a request that comes while the call is made takes nothing from it: its value comes, and the request next") {
    int value = 0;
    bool went_on = false;
    run(run_options().with(make_sim()), [&]() -> task<> {
        std::optional<task_handle<>> calling;
        calling.emplace(spawn([&]() -> task<> {
            const auto call = [&calling] {
                calling->cancel();
                return 7;
            };
            value = co_await to_thread(call);
            co_await yield();
            went_on = true;
        }));
        (void)co_await settled(*calling);
        CHECK(calling->is_cancelled());
    });
    CHECK(value == 7);
    CHECK_FALSE(went_on);
}

TEST_CASE("a simulation with real threads and no bound for them ends when the last call has") {
    testing::semaphore begun{0};
    testing::semaphore gate{0};
    std::atomic<bool> ended = false;
    run(run_options().with(make_sim()).real_threads(true).pool_grace(duration::max()), [&]() -> task<> {
        const auto call = [&] {
            begun.release();
            gate.acquire();
            for (int i = 0; i < 1000; ++i)   // the loop is there first
                std::this_thread::yield();
            ended = true;
        };
        auto abandoned = spawn([&call]() -> task<> { co_await abandon(to_thread(call)); });
        co_await yield();
        begun.acquire();
        abandoned.cancel();
        (void)co_await settled(abandoned);
        gate.release();
    });
    CHECK(ended);
}
