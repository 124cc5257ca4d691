// submit_test.cpp - tasks for a loop from other threads.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>

#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace corun;
using namespace testing;

namespace {

/// Runs a loop on this thread while `f(loop_ref)` runs on another one.
template <class F>
void beside_a_loop(F f) {
    run(run_options().real_threads(true), [&f]() -> task<> {
        const auto job = [&f, where = loop::current().ref()] { f(where); };
        co_await to_thread(job);
    });
}

task<int> seven() {
    co_await yield();
    co_return 7;
}

task<int> fails() {
    co_await yield();
    throw std::runtime_error("E");
}

task<int> never() {
    event never_set;
    co_await never_set.wait();
    co_return 0;
}

task<int> cancels_itself() {
    this_task::handle().cancel();
    co_await yield();
    co_return 0;
}

}

TEST_CASE("THR-08 a task submitted from another thread gives its value or its exception to a future") {
    beside_a_loop([](const loop_ref& where) {
        CHECK(submit(where, &seven).get() == 7);
        CHECK_THROWS_WITH(submit(where, &fails).get(), "E");
    });
}

TEST_CASE("THR-08 cancelling a submission cancels its task, and a task that is cancelled ends its future") {
    beside_a_loop([](const loop_ref& where) {
        auto waits = submit(where, &never);
        CHECK(waits.cancel());
        CHECK_THROWS_AS(waits.get(), task_cancelled);
        CHECK_THROWS_AS(submit(where, &cancels_itself).get(), task_cancelled);
    });
}

TEST_CASE("THR-08 a submission to a loop that shuts down or has closed is an error, not a hang") {
    std::optional<loop_ref> kept;
    std::optional<submission<int>> left;
    run(run_options().real_threads(true), [&]() -> task<> {
        kept = loop::current().ref();
        const auto job = [&] { left = submit(*kept, &never); };
        co_await to_thread(job);
    });
    CHECK_THROWS_AS(left->get(), task_cancelled);   // a left-over, cancelled at the end
    CHECK_FALSE(left->cancel());
    CHECK(usage_of([&] { (void)submit(*kept, &seven); }) == errc::closed_loop);
}

namespace {

/// Its move throws when the count has come to zero.
struct brittle {
    static inline int moves_left = -1;
    brittle() = default;
    brittle(brittle&&) {
        if (moves_left >= 0 && moves_left-- == 0)
            throw std::runtime_error("move failed");
    }
};

}

TEST_CASE("FUT-11 a value whose move throws on its way into the future is an error there, not silence") {
    for (int at = 0; at < 4; ++at) {
        run([at]() -> task<> {
            brittle::moves_left = at;
            auto answer = submit(loop::current().ref(), []() -> task<brittle> { co_return brittle(); });
            for (int i = 0; i < 6; ++i)
                co_await yield();
            brittle::moves_left = -1;
            CHECK(answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
        });
    }
}
