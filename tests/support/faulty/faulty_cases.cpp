// faulty_cases.cpp - cases that do what no case may; CTest expects that each is caught.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include <chrono>
#include <fstream>
#include <thread>

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
    new task<>([]() -> task<> { co_return; }());
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

TEST_CASE("hangs without a loop") {
    for (volatile bool goes_on = true; goes_on;) {
    }
}
