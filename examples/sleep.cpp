// sleep.cpp - three sleepers at once take as long as the longest of them, on one thread.
#include <corun/corun.hpp>

#include <fmt/core.h>

using namespace std::chrono_literals;

corun::task<> sleeper(int number, corun::duration d) {
    co_await corun::sleep_for(d);
    fmt::print("sleeper {} is awake\n", number);
}

corun::task<> sleep_three() {
    const auto start = corun::clock::now();
    co_await corun::gather(sleeper(1, 300ms), sleeper(2, 100ms), sleeper(3, 200ms));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(corun::clock::now() - start);
    fmt::print("all are awake after about 300 ms: {}\n", took >= 300ms && took < 600ms ? "yes" : "no");
}

int main() { return corun::run_main(sleep_three); }
