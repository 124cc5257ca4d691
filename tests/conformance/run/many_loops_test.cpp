// many_loops_test.cpp - loops that come and go: nothing of them stays.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Runs `count` loops, one after another on each of four threads, each with two tasks, a timer and a post.
void run_loops(std::size_t count) {
    std::atomic<std::size_t> done = 0;
    const auto runs = [&] {
        for (std::size_t i = 0; i < count / 4; ++i) {
            const int value = run([]() -> task<int> {
                event posted;
                loop::current().ref().post([&posted] { posted.set(); });
                const auto waits = [](event& e) -> task<int> {
                    co_await e.wait();
                    co_return 7;
                };
                auto h = spawn(waits, std::ref(posted));
                const int given = co_await timeout(1h, h);
                co_return given;
            });
            done += value == 7;
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(runs);
    for (std::thread& t : threads)
        t.join();
    CHECK(done == count);
}

}

TEST_CASE("RES-10 ten thousand loops in four threads leave no descriptor, no thread and no memory") {
    run_loops(2'000);   // the allocator has what four threads take of it
    const auto descriptors = os::open_descriptors();
    const auto memory = os::resident_bytes();
    run_loops(10'000);
    CHECK(os::open_descriptors() == descriptors);
    CHECK(live_frames() == 0);
    // A hundred bytes of each are 1 MB. Sanitizers keep what was freed for a while.
    if (memory && !under_sanitizer) {
        const std::size_t now = *os::resident_bytes();
        INFO(*memory << " bytes before, " << now << " after");
        CHECK(now < *memory + (1u << 20));
    }
}
