// pool_limit_test.cpp - a pool whose threads are all taken, calls that are given up, and calls that outlast the run.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
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
    explicit held_pool(int threads = pool_size()) : size(threads) {}

    const int size;
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
        for (int i = 0; i < size; ++i)
            calls.push_back(spawn(call));
        while (begun < size)
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

/// A call that waits until it may end, and what it uses; it may outlive the run.
struct blocked_call {
    void make() {
        begun.release();
        may_end.acquire();
        ended = true;
        over.release();
    }

    testing::semaphore begun{0};
    testing::semaphore may_end{0};
    testing::semaphore over{0};
    std::atomic<bool> ended = false;
};

task<> abandons(std::shared_ptr<blocked_call> c) {
    const auto job = [c] { c->make(); };
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

TEST_CASE(
    "RES-21 a loop has as many pool threads as it was given, and calls that wait for each other's tasks go on where there are enough") {
    for (const int threads : {1, 3, pool_size() + 4}) {
        run(run_options().real_threads(true).pool_threads(static_cast<std::size_t>(threads)), [threads]() -> task<> {
            held_pool pool(threads);
            co_await pool.fill();
            std::atomic<bool> made = false;
            const auto calls = [&made]() -> task<> {
                const auto job = [&made] { made = true; };
                co_await to_thread(job);
            };
            auto next = spawn(calls);
            for (int i = 0; i < 100; ++i)
                co_await yield();
            CHECK_FALSE(made);   // it has no more threads
            co_await pool.let_go(threads);
            co_await next;
        });
    }
    int ended = 0;
    run(run_options().real_threads(true).pool_threads(8), [&ended]() -> task<> {
        const auto calls = [&ended](loop_ref here) -> task<> {
            const auto inner = []() -> task<> {
                const auto nothing = [] {};
                co_await to_thread(nothing);
            };
            const auto job = [here, inner] { submit(here, inner).get(); };
            co_await to_thread(job);
            ++ended;
        };
        std::vector<task_handle<>> all;
        for (int i = 0; i < 7; ++i)
            all.push_back(spawn(calls, loop::current().ref()));
        for (const task_handle<>& h : all)
            co_await h;
    });
    CHECK(ended == 7);
}

TEST_CASE("RES-22 debug mode says once that calls hold all threads of the pool while another waits") {
    hook_log log;
    const auto main = []() -> task<> {
        held_pool pool(2);
        co_await pool.fill();
        const auto calls = []() -> task<> {
            const auto nothing = [] {};
            co_await to_thread(nothing);
        };
        auto first = spawn(calls);
        auto second = spawn(calls);
        co_await yield();
        co_await yield();
        co_await pool.let_go(2);
        co_await first;
        co_await second;
    };
    run(run_options().real_threads(true).pool_threads(2).debug(true).on_exception(log.hook()), main);
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "all threads of the pool are taken");
    CHECK(log.reports()[0].what.find("run_options::pool_threads()") != std::string::npos);
    hook_log silent;
    run(run_options().real_threads(true).pool_threads(2).debug(false).on_exception(silent.hook()), main);
    CHECK(silent.empty());
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

TEST_CASE(
    "SHD-21 a call that ends when the grace is over, and before pool_grace is: its frame is destroyed then, and nothing is left behind") {
    const auto c = std::make_shared<blocked_call>();
    lifetimes of_locals;
    std::vector<std::string> reports;
    const auto hook = [&](const exception_report& r) {
        reports.push_back(std::string(r.message) + text_of(r.error));
        c->may_end.release();
    };
    run(run_options().real_threads(true).shutdown_grace(5ms).on_exception(hook), [&]() -> task<> {
        spawn([&of_locals, c]() -> task<> {
            const counted local(of_locals);
            const auto call = [c] { c->make(); };
            co_await to_thread(call);
        });
        co_await yield();
        c->begun.acquire();
    });
    CHECK(c->ended);
    CHECK(of_locals.made == 1);
    CHECK(of_locals.alive() == 0);
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].find("did not stop within the shutdown grace") != std::string::npos);
    CHECK(reports[0].find("destroyed when the call on a pool thread has ended") != std::string::npos);
    c->over.acquire();
}

TEST_CASE("SHD-21 what tasks that are given up wait for beside the call is dropped, and none of them is resumed") {
    const auto c = std::make_shared<blocked_call>();
    trace t;
    lifetimes of_locals;
    const auto hook = [&](const exception_report&) { c->may_end.release(); };
    event never;
    run(run_options().real_threads(true).shutdown_grace(5ms).on_exception(hook), [&]() -> task<> {
        spawn([&of_locals, c]() -> task<> {
            const counted local(of_locals);
            const auto call = [c] { c->make(); };
            co_await to_thread(call);
        });
        const auto deaf = [&]() -> task<> {
            const counted local(of_locals);
            (void)co_await settled(never.wait());
            (void)co_await settled(never.wait());
            t.note("resumed");
        };
        spawn(deaf);
        spawn(deaf);
        co_await yield();
        c->begun.acquire();
    });
    CHECK(t.empty());
    CHECK(of_locals.alive() == 0);
    c->over.acquire();
}

TEST_CASE("THR-31 a call that is dropped before a thread has begun it goes at once, with what it was given") {
    lifetimes l;
    run(run_options().real_threads(true), [&]() -> task<> {
        held_pool pool;
        co_await pool.fill();
        auto h = spawn([&l]() -> task<> { co_await to_thread([](const counted&) {}, counted(l)); });
        co_await yield();
        CHECK(l.alive() > 0);
        h.cancel();
        (void)co_await settled(h);
        CHECK(l.alive() == 0);
        co_await pool.let_go(pool_size());
    });
    CHECK(l.made > 0);
}

TEST_CASE("THR-34 calls that wait for a thread make no further one") {
    run(run_options().real_threads(true), []() -> task<> {
        held_pool pool;
        co_await pool.fill();
        const auto threads = os::threads();
        std::vector<task_handle<>> more;
        for (int i = 0; i < 8; ++i)
            more.push_back(spawn([]() -> task<> { co_await to_thread([] {}); }));
        co_await yield();
        CHECK(os::threads() == threads);
        co_await pool.let_go(pool_size());
        for (const task_handle<>& h : more)
            co_await h;
    });
}

namespace {

/// Says when a thread of the pool has ended: destroyed with its thread's variables.
struct thread_end {
    ~thread_end() {
        if (!over)
            return;
        std::this_thread::sleep_for(length);   // [rt]
        over->release();
    }
    std::chrono::milliseconds length{0};
    testing::semaphore* over = nullptr;
};

thread_local thread_end this_thread_end;

void note_this_threads_end(testing::semaphore& over, std::chrono::milliseconds length = 0ms) {
    this_thread_end.over = &over;
    this_thread_end.length = length;
}

}

TEST_CASE("THR-32 when run returns the pool's threads have ended, their thread-locals destroyed, however long that takes [rt]") {
    testing::semaphore over;
    run(run_options().real_threads(true), [&over]() -> task<> { co_await to_thread([&over] { note_this_threads_end(over, 20ms); }); });
    CHECK(over.try_acquire());
}

TEST_CASE("THR-33 a call that ends after its loop has closed goes with what it was given [rt]") {
    // Shared with the call, which may go after this case's end of it.
    struct shared_end {
        testing::semaphore begun;
        testing::semaphore may_end;
        testing::semaphore gone;
    };
    struct tells_end {
        explicit tells_end(std::shared_ptr<shared_end> e) : end(std::move(e)) {}
        tells_end(tells_end&&) = default;
        ~tells_end() {
            if (end)
                end->gone.release();
        }
        std::shared_ptr<shared_end> end;
    };
    const auto end = std::make_shared<shared_end>();
    run(run_options().real_threads(true).pool_grace(1ms), [&end]() -> task<> {
        auto h = spawn([&end]() -> task<> {
            co_await abandon(to_thread(
                [](const tells_end& own) {
                    own.end->begun.release();
                    own.end->may_end.acquire();
                },
                tells_end(end)));
        });
        co_await yield();
        end->begun.acquire();
        h.cancel();
        (void)co_await settled(h);
    });
    CHECK_FALSE(end->gone.try_acquire());
    end->may_end.release();
    end->gone.acquire();   // the watchdog's, if it never goes
}

TEST_CASE("THR-35 a running call's stop flag is told of the request, and its task waits for it") {
    run(run_options().real_threads(true), []() -> task<> {
        testing::semaphore begun;
        auto h = spawn([&begun]() -> task<int> {
            const int turns = co_await to_thread([&begun](const stop_flag& stop) {
                begun.release();
                while (!stop.stop_requested())
                    std::this_thread::yield();
                return 7;
            });
            co_return turns;
        });
        co_await yield();
        begun.acquire();
        h.cancel();
        const int value = co_await std::move(h);
        CHECK(value == 7);
    });
}

TEST_CASE("THR-36 without a bound on the pool's end, one on the tasks' still waits for a call that runs [rt]") {
    std::atomic<bool> ended = false;
    run(run_options().real_threads(true).shutdown_grace(1ms).pool_grace(duration::max()).on_exception([](const exception_report&) {}),
        [&ended]() -> task<> {
            testing::semaphore begun;
            auto h = spawn([&]() -> task<> {
                co_await abandon(to_thread([&] {
                    begun.release();
                    std::this_thread::sleep_for(50ms);   // [rt] longer than the grace
                    ended = true;
                }));
            });
            co_await yield();
            begun.acquire();
            h.cancel();
            (void)co_await settled(h);
            // Outstays the grace.
            spawn([]() -> task<> {
                for (;;)
                    (void)co_await settled(sleep_for(1h));
            });
            co_await yield();
        });
    CHECK(ended);
}

TEST_CASE("THR-37 a pool whose threads end twice in one turn of shut down is waited for [rt]") {
    testing::semaphore gate;
    testing::semaphore first_over;
    testing::semaphore second_over;
    int ended = 0;
    run(run_options().real_threads(true), [&]() -> task<> {
        testing::semaphore begun;
        auto first = spawn([&]() -> task<> {
            co_await abandon(to_thread([&] {
                note_this_threads_end(first_over);
                begun.release();
                gate.acquire();
            }));
        });
        co_await yield();
        begun.acquire();
        first.cancel();
        (void)co_await settled(first);
        // Runs when the pool has been told to stop. In the turn after that, one thread of it ends, and then another.
        loop::current().call_soon([&] {
            loop::current().call_soon([&] {
                gate.release();
                first_over.acquire();
                ++ended;
            });
            spawn([&]() -> task<> { co_await to_thread([&] { note_this_threads_end(second_over); }); });
            loop::current().call_soon([&] {
                second_over.acquire();
                ++ended;
            });
        });
    });
    CHECK(ended == 2);
}
