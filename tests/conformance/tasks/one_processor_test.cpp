// one_processor_test.cpp - posts to a loop that shares its only processor with who posts, and with threads that make noise.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/wrapped_backend.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Lets other threads run at each step of the loop's way into its sleep, and of those who wake it.
class yielding_backend final : public wrapped_backend {
public:
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        std::this_thread::yield();
        return real().wait(deadline, finished);
    }
    void wake() noexcept override {
        std::this_thread::yield();
        real().wake();
    }
};

/// Posts again and again, each time as the loop goes to sleep after the last post, and waits until that has run. Answers how often; hangs
/// if a post is missed.
std::size_t post_before_sleep(std::size_t noisy_threads) {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + 500ms * static_cast<int>(stress());
    std::atomic<std::size_t> answered = 0;
    std::atomic<bool> is_over = false;
    std::size_t rounds = 0;
    std::vector<std::thread> noise;
    for (std::size_t i = 0; i < noisy_threads; ++i) {
        noise.emplace_back([&is_over] {
            while (!is_over)
                std::this_thread::yield();
        });
    }
    run(run_options().with(std::make_unique<yielding_backend>()), [&]() -> task<> {
        event all_done;
        std::thread poster([&, ref = loop::current().ref()] {
            for (std::size_t i = 1; i <= 100 || clock::now() < until; ++i) {
                for (std::size_t yields = 0; yields < i % 8; ++yields)
                    std::this_thread::yield();
                ref.post([&answered, i] {
                    answered.store(i, std::memory_order_release);
                    std::this_thread::yield();   // the next post may come in this turn, before the loop looks whether it may sleep
                });
                while (answered.load(std::memory_order_acquire) != i)
                    std::this_thread::yield();
                rounds = i;
            }
            ref.post([&all_done] { all_done.set(); });
        });
        co_await all_done.wait();
        poster.join();
    });
    is_over = true;
    for (std::thread& t : noise)
        t.join();
    return rounds;
}

os::child_end post_on_one_processor(std::size_t noisy_threads) {
    return os::run_in_child([noisy_threads] {
        if (!os::use_one_processor()) {
            os::say("no such thing here");
            return 0;
        }
        os::say(post_before_sleep(noisy_threads) >= 100 ? "all answered" : "too few");
        return 0;
    });
}

void check_end(const os::child_end& child) {
    INFO(child.output);
    CHECK(child.code == 0);
    if (child.output != "no such thing here")
        CHECK(child.output == "all answered");
}

}

TEST_CASE("THR-04 a post just as the loop goes to sleep is never missed where all threads share one processor [rt]") {
    check_end(post_on_one_processor(0));
}

TEST_CASE("THR-04 the same beside threads that do nothing but yield, on one processor and on all [rt]") {
    check_end(post_on_one_processor(4));
    CHECK(post_before_sleep(4) >= 100);
}
