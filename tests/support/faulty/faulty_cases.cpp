// faulty_cases.cpp - cases that do what no case may; CTest expects that each is caught.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>
#include <vector>

using namespace corun;
using namespace std::chrono_literals;

TEST_CASE("leaves a descriptor open") {
    new std::ifstream("/proc/self/status");
    CHECK(testing::os::open_descriptors().has_value());
}

TEST_CASE("leaves a thread running") {
    std::thread([] { std::this_thread::sleep_for(1h); }).detach();
    CHECK(testing::os::threads().has_value());
}

TEST_CASE("leaves a coroutine frame alive") {
    run([]() -> task<> {
        auto& never_destroyed = *new auto([]() -> task<> { co_return; }().operator co_await());
        co_await never_destroyed;
    });
    CHECK(live_frames() == 1);
}

TEST_CASE("hangs in a loop that waits") {
    run([]() -> task<> {
        event never_set;
        this_task::set_name("waits-in-vain");
        co_await never_set.wait();
    });
}

TEST_CASE("hangs in a step") {
    run([]() -> task<> {
        this_task::set_name("works-in-vain");
        for (volatile bool goes_on = true; goes_on;) {
        }
        co_return;
    });
}

TEST_CASE("takes longer than its time on a machine that has sixteen times as much to do as it can") {
    std::atomic<bool> goes_on = true;
    std::vector<std::thread> busy;
    for (unsigned i = 0; i < 16 * std::max(std::thread::hardware_concurrency(), 1u); ++i)
        busy.emplace_back([&goes_on] {
            while (goes_on) {
            }
        });
    std::this_thread::sleep_for(3s);
    goes_on = false;
    for (std::thread& t : busy)
        t.join();
    CHECK_FALSE(goes_on);
    std::puts("it was over in time");
}

TEST_CASE("hangs without a loop") {
    for (volatile bool goes_on = true; goes_on;) {
    }
}
