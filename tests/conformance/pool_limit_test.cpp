// pool_limit_test.cpp - a pool whose threads are all taken, calls that are given up, and calls that outlast the run.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/semaphore.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// As many as a pool has: asyncio's default.
int pool_size() { return static_cast<int>(std::min(32u, std::thread::hardware_concurrency() + 4)); }

/// Calls that hold all of the pool's threads until they are let go.
struct held_pool {
    testing::semaphore gate{0};
    std::atomic<int> begun = 0;
    std::vector<task_handle<>> calls;

    /// Returns when all of them have begun.
    task<> fill() {
        const auto call = [this]() -> task<> {
            const auto job = [this] {
                ++begun;
                gate.acquire();
            };
            co_await to_thread(job);
        };
        for (int i = 0; i < pool_size(); ++i)
            calls.push_back(spawn(call));
        while (begun < pool_size())
            co_await yield();
    }
    task<> let_go(int count) {
        gate.release(count);
        for (const task_handle<>& h : calls)
            co_await h;
    }
};

}

TEST_CASE("THR-09 a call that no thread has begun is dropped when its task is cancelled, and never made") {
    std::atomic<bool> made = false;
    run(run_options().real_threads(true), [&]() -> task<> {
        held_pool pool;
        co_await pool.fill();
        const auto calls = [&made]() -> task<> {
            const auto job = [&made] { made = true; };
            co_await to_thread(job);
        };
        auto h = spawn(calls);
        co_await yield();
        co_await yield();
        CHECK(h.cancel());
        co_await yield();
        CHECK(end_of(h) == "cancelled");
        co_await pool.let_go(pool_size());
    });
    CHECK_FALSE(made);
}

namespace {

/// What an abandoned call uses; it may outlive the run.
struct blocked_call {
    testing::semaphore begun{0};
    testing::semaphore may_end{0};
    testing::semaphore over{0};
    std::atomic<bool> ended = false;
};

task<> abandons(std::shared_ptr<blocked_call> c) {
    const auto job = [c] {
        c->begun.release();
        c->may_end.acquire();
        c->ended = true;
        c->over.release();
    };
    co_await abandon(to_thread(job));
}

}

TEST_CASE("THR-09 an abandoned call goes on without its task, which ends at once") {
    const auto c = std::make_shared<blocked_call>();
    run(run_options().real_threads(true), [&]() -> task<> {
        auto h = spawn(&abandons, c);
        co_await yield();
        c->begun.acquire();
        CHECK(h.cancel());
        co_await yield();
        CHECK(end_of(h) == "cancelled");
        CHECK_FALSE(c->ended);
        c->may_end.release();
        c->over.acquire();
        CHECK(c->ended);
    });
}

TEST_CASE("THR-12 while blocked calls hold all threads the next call waits and the loop goes on; then it is made") {
    run(run_options().real_threads(true), []() -> task<> {
        held_pool pool;
        co_await pool.fill();
        std::atomic<bool> made = false;
        const auto calls = [&made]() -> task<int> {
            const auto job = [&made] {
                made = true;
                return 7;
            };
            const int value = co_await to_thread(job);
            co_return value;
        };
        auto next = spawn(calls);
        int steps = 0;
        const auto steps_on = [&steps]() -> task<> {
            for (; steps < 1000; ++steps)
                co_await yield();
        };
        auto other = spawn(steps_on);
        co_await other;
        CHECK(steps == 1000);
        CHECK_FALSE(made);
        CHECK_FALSE(next.is_done());

        pool.gate.release();   // one thread
        const int value = co_await next;
        CHECK(value == 7);
        CHECK(made);
        co_await pool.let_go(pool_size() - 1);
    });
}

TEST_CASE("SHD-03 a call that runs when main ends is waited for, and the loop turns meanwhile [rt]") {
    const auto c = std::make_shared<blocked_call>();
    run(run_options().real_threads(true), [&]() -> task<> {
        spawn(&abandons, c);
        co_await yield();
        c->begun.acquire();
        loop::current().call_after(20ms, [c] { c->may_end.release(); });
    });
    CHECK(c->ended);
    c->may_end.release();
    c->over.acquire();
}

TEST_CASE("SHD-03 a call that has not ended after pool_grace is left to itself, and run returns [rt]") {
    const auto c = std::make_shared<blocked_call>();
    std::chrono::steady_clock::time_point main_ended;
    const int value = run(run_options().real_threads(true).pool_grace(20ms), [&]() -> task<int> {
        spawn(&abandons, c);
        co_await yield();
        c->begun.acquire();
        main_ended = std::chrono::steady_clock::now();
        co_return 7;
    });
    CHECK(value == 7);
    CHECK_FALSE(c->ended);
    CHECK(std::chrono::steady_clock::now() - main_ended >= 20ms);
    c->may_end.release();
    c->over.acquire();
    CHECK(c->ended);
}
