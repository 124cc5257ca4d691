// thread_test.cpp - posts from other threads.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("THR-01 what eight threads post runs once each, in the order in which each thread posted it") {
    constexpr std::size_t threads = 8;
    const auto count = scaled(100'000);
    std::vector<std::vector<std::size_t>> order(threads);
    const auto loop_thread = std::this_thread::get_id();
    bool on_loop_thread = true;

    run([&]() -> task<> {
        event all_ran;
        std::size_t ran = 0;
        std::vector<std::thread> posters;
        for (std::size_t which = 0; which < threads; ++which) {
            posters.emplace_back([&, which, ref = loop::current().ref()] {
                for (std::size_t i = 0; i < count; ++i) {
                    ref.post([&, which, i] {
                        order[which].push_back(i);
                        on_loop_thread = on_loop_thread && std::this_thread::get_id() == loop_thread;
                        if (++ran == threads * count)
                            all_ran.set();
                    });
                }
            });
        }
        co_await all_ran.wait();
        for (std::thread& poster : posters)
            poster.join();
    });

    CHECK(on_loop_thread);
    for (const std::vector<std::size_t>& of_one : order) {
        REQUIRE(of_one.size() == count);
        bool in_order = true;
        for (std::size_t i = 0; i < count; ++i)
            in_order = in_order && of_one[i] == i;
        CHECK(in_order);
    }
}

TEST_CASE("THR-02 posts to a loop that is awake wake nobody; to one that sleeps, once") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        int ran = 0;
        const auto post_some = [&, ref = loop::current().ref()](int times) {
            for (int i = 0; i < times; ++i)
                ref.post([&ran] { ++ran; });
        };
        std::thread(post_some, 1000).join();   // the loop stands in this very step
        CHECK(calls.wakes == 0);
        CHECK(ran == 0);
        co_await yield();   // they stand behind this task in the next turn
        co_await yield();
        CHECK(ran == 1000);

        event woken;
        bool have_posted = false;
        calls.before_endless_wait = [&] {
            if (std::exchange(have_posted, true))
                return;
            // Joined on the loop's way into its sleep: all of them find it asleep, the first wakes it.
            std::thread(post_some, 1000).join();
            std::thread([&woken, ref = loop::current().ref()] { ref.post([&woken] { woken.set(); }); }).join();
        };
        co_await woken.wait();
        CHECK(ran == 2000);
        CHECK(calls.wakes == 1);
    });
}

TEST_CASE("THR-02 a million posts from another thread all run, with at most one wake-up each") {
    const auto count = scaled(1'000'000);
    backend_calls calls;
    std::size_t ran = 0;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        event all_ran;
        std::thread poster([&, ref = loop::current().ref()] {
            for (std::size_t i = 0; i < count; ++i) {
                ref.post([&] {
                    if (++ran == count)
                        all_ran.set();
                });
            }
        });
        co_await all_ran.wait();
        poster.join();
    });
    CHECK(ran == count);
    CHECK(calls.wakes <= count);
    CHECK(calls.wakes <= calls.blocking_waits);
}

TEST_CASE("THR-03 a post just as the loop goes to sleep is never missed") {
    using clock = std::chrono::steady_clock;
    const auto most_rounds = scaled(10'000'000);
    const auto until = clock::now() + 2s * static_cast<int>(stress());
    std::atomic<std::size_t> answered = 0;
    std::size_t rounds = 0;
    clock::duration slowest{};
    run([&]() -> task<> {
        event all_done;
        std::thread poster([&, ref = loop::current().ref()] {
            for (std::size_t i = 1; i <= most_rounds && (i <= 1000 || clock::now() < until); ++i) {
                // The last answer came from the turn after which the loop goes to sleep: this post meets it somewhere on its way.
                for (std::size_t spin = 0; spin < 10 * (i % 64); ++spin)
                    (void)answered.load(std::memory_order_relaxed);
                ref.post([&answered, i] { answered.store(i, std::memory_order_release); });
                const auto posted = clock::now();
                while (answered.load(std::memory_order_acquire) != i)
                    if (clock::now() - posted > 10us)
                        std::this_thread::yield();
                slowest = std::max(slowest, clock::now() - posted);
                rounds = i;
            }
            ref.post([&all_done] { all_done.set(); });
        });
        co_await all_done.wait();
        poster.join();
    });
    CHECK(answered == rounds);
    CHECK(rounds >= 1000);
    CHECK(slowest < 2s * slowdown);   // nothing else wakes this loop; a busy machine may keep either thread from its processor
}

TEST_CASE("THR-05 posts that race with the loop's end run or are rejected, each function is destroyed once") {
    const int rounds = 100;
    std::size_t early = 0;
    for (int round = 0; round < rounds; ++round) {
        std::atomic<std::size_t> ran = 0;
        std::atomic<std::size_t> destroyed = 0;
        std::size_t posted = 0;
        std::size_t accepted = 0;
        struct payload {
            std::atomic<std::size_t>* destroyed;
            explicit payload(std::atomic<std::size_t>& d) : destroyed(&d) {}
            payload(payload&& other) noexcept : destroyed(std::exchange(other.destroyed, nullptr)) {}
            ~payload() {
                if (destroyed)
                    ++*destroyed;
            }
        };
        std::atomic<bool> began = false;
        std::thread poster;
        run([&]() -> task<> {
            poster = std::thread([&, ref = loop::current().ref()] {
                // A few more than the first rejected one: the loop is gone by then.
                for (int rejected = 0; rejected < 3;) {
                    ++posted;
                    if (ref.post([&ran, p = payload(destroyed)] { ++ran; }))
                        ++accepted;
                    else
                        ++rejected;
                    began = true;                // the first one is in before the loop may end
                    std::this_thread::yield();   // the loop must keep up, or rounds grow long on a busy machine
                }
            });
            while (!began)
                std::this_thread::yield();
            for (int i = 0; i < round % 7; ++i)
                co_await yield();
        });
        const std::size_t ran_before_return = ran;
        poster.join();
        REQUIRE(ran == accepted);
        REQUIRE(ran_before_return == accepted);
        REQUIRE(destroyed == posted);
        early += accepted;
    }
    CHECK(early > 0);
}
