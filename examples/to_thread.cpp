// to_thread.cpp - a call that blocks runs on a thread of the pool; the loop turns meanwhile.
#include <corun/corun.hpp>

#include <fmt/core.h>

#include <cstdint>

using namespace std::chrono_literals;

std::uint64_t count_primes(std::uint64_t below, const corun::stop_flag& stop) {
    std::uint64_t count = 0;
    for (std::uint64_t n = 2; n < below && !stop.stop_requested(); ++n) {
        bool prime = true;
        for (std::uint64_t d = 2; d * d <= n && prime; ++d)
            prime = n % d != 0;
        count += prime;
    }
    return count;
}

corun::task<int> count_ticks() {
    int ticks = 0;
    for (;; ++ticks) {
        const auto slept = co_await corun::settled(corun::sleep_for(1ms));
        if (slept.is_cancelled())
            co_return ticks;
    }
}

corun::task<> compute() {
    auto ticks = corun::spawn(count_ticks);
    const auto primes = co_await corun::to_thread([](const corun::stop_flag& stop) { return count_primes(300'000, stop); });
    ticks.cancel();
    const int ticked = co_await std::move(ticks);
    fmt::print("{} primes below 300000; the loop ticked meanwhile: {}\n", primes, ticked > 0 ? "yes" : "no");
}

int main() { return corun::run_main(compute); }
