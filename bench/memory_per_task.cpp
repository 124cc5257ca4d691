// memory_per_task.cpp - E1: what a task holds while it sleeps.
#include "memory.hpp"

#include <corun/corun.hpp>

#include <chrono>

namespace {

constexpr int tasks = 100'000;

corun::task<> sleeper(std::chrono::seconds d) { co_await corun::sleep_for(d); }

corun::task<> measure() {
    const bench::memory before = bench::memory::now();
    for (int i = 0; i < tasks; ++i)
        corun::spawn(sleeper(std::chrono::seconds(3600 + i)));
    co_await corun::yield();   // all of them sleep now
    bench::print_growth(before, bench::memory::now(), tasks);
}

}

int main() { corun::run(measure); }
