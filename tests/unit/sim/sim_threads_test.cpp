// sim_threads_test.cpp - calls on threads in a simulation: made in their turn on the loop's thread, or on real ones.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/semaphore.hpp>
#include <unit/broken_off.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
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

TEST_CASE("a call whose await was broken off at the end of a run is made, as on a real pool; where the run is stopped it goes unmade") {
    enum class others { none, end_with_the_grace, deaf };
    for (const auto left : {others::none, others::end_with_the_grace, others::deaf}) {
        const auto held = std::make_shared<int>();
        bool made = false;
        run(run_options().with(make_sim()).shutdown_grace(0s).on_exception([](const exception_report&) {}), [&]() -> task<> {
            if (left != others::none) {
                spawn([left]() -> task<> {
                    do
                        (void)co_await settled(sleep_for(1h));
                    while (left == others::deaf);
                });
                co_await yield();
            }
            const auto call = [held, &made] { made = true; };
            try {
                co_await broken_off(to_thread(call));
            } catch (const std::runtime_error&) {
            }
        });
        CHECK(made == (left == others::none));
        CHECK(held.use_count() == 1);
    }
}
