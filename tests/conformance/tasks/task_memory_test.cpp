// task_memory_test.cpp - what tasks take of memory, and what happens when there is none.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;

TEST_CASE("TSK-14 a spawn that gets no memory throws bad_alloc and leaves nothing half made, whichever allocation fails") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    run([]() -> task<> {
        // Larger than what the free lists keep: each piece of a task asks the system.
        using ballast = std::array<char, 4096>;
        lifetimes of_argument;
        int ended = 0;
        const auto big = [&ended](ballast, counted) -> task<> {
            ballast local{};
            co_await yield();
            ended += 1 + local[0];
        };
        const auto tasks = loop::current().counters().tasks;
        const auto frames = live_frames();
        const auto bytes = allocated_bytes();

        int failures = 0;
        for (std::size_t nth = 1;; ++nth) {
            task_handle<> h;
            bool failed = false;
            {
                const failing_allocation failing(nth);
                try {
                    h = spawn(big, ballast(), counted(of_argument));
                } catch (const std::bad_alloc&) {
                    failed = true;
                }
                CHECK(failed == failing.has_failed());
            }
            if (!failed) {
                CHECK(loop::current().counters().tasks == tasks + 1);
                co_await h;
                break;
            }
            ++failures;
            CHECK(loop::current().counters().tasks == tasks);
            CHECK(live_frames() == frames);
            CHECK(of_argument.alive() == 0);
            CHECK(allocated_bytes() <= bytes);
        }
        CHECK(failures >= 1);
        CHECK(ended == 1);
        CHECK(of_argument.alive() == 0);
    });
}

TEST_CASE("TSK-15 a hundred thousand live tasks each yield once and end; their memory is given back") {
    const auto count = scaled(100'000);
    run([&]() -> task<> {
        std::size_t ended = 0;
        const auto yields_once = [&ended]() -> task<> {
            co_await yield();
            ++ended;
        };
        const auto frames = live_frames();
        const auto spawn_them_all = [&] {
            for (std::size_t i = 0; i < count; ++i)
                spawn(yields_once);
        };
        spawn_them_all();
        CHECK(loop::current().counters().tasks == count + 1);
        co_await yield();
        CHECK(live_frames() == frames + count);
        CHECK(ended == 0);
        co_await yield();
        CHECK(ended == count);
        CHECK(live_frames() == frames);
        CHECK(loop::current().counters().tasks == 1);

        const auto after_first = allocated_bytes();
        spawn_them_all();
        co_await yield();
        co_await yield();
        CHECK(ended == 2 * count);
        CHECK(allocated_bytes() < after_first + 10'000);
    });
}

namespace {

/// Holds coroutines' frames beyond the end of its thread's free lists: made before the first block comes back to them.
struct keeps_frames {
    std::vector<task<>> frames;
};

thread_local keeps_frames kept;

template <std::size_t Size>
task<> of_size() {
    const std::array<char, Size> ballast{};
    co_await yield();
    (void)ballast[0];
}

}

TEST_CASE("TSK-53 frames that are freed after their thread's free lists have gone leave no memory behind") {
    if (!allocations_are_counted)
        return;
    const auto on_a_thread = [] {
        std::thread([] {
            kept.frames.reserve(3);
            run([]() -> task<> { co_await yield(); });
            kept.frames.push_back(of_size<1>());
            kept.frames.push_back(of_size<100>());
            kept.frames.push_back(of_size<300>());
        }).join();
    };
    on_a_thread();
    const std::size_t before = allocated_bytes();
    for (int i = 0; i < 30; ++i)
        on_a_thread();
    CHECK(allocated_bytes() < before + 1000);
}
