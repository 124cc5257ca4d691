// timeout.cpp - a bound on anything that can be awaited.
#include <corun/corun.hpp>

#include <fmt/core.h>

using namespace std::chrono_literals;

corun::task<int> slow_answer() {
    try {
        co_await corun::sleep_for(1h);
    } catch (const corun::cancelled&) {
        fmt::print("slow_answer() is asked to end\n");
        throw;   // a request that is swallowed is no request
    }
    co_return 42;
}

corun::task<> bounded() {
    try {
        co_await corun::timeout(50ms, slow_answer());
    } catch (const corun::timed_out& e) {
        fmt::print("{}\n", e.what());
    }

    // A scope can be moved while it runs.
    corun::timeout_scope scope(10ms);
    scope.reschedule_after(10s);
    co_await scope.run(corun::sleep_for(20ms));
    fmt::print("slept 20 ms in time\n");
}

int main() { return corun::run_main(bounded); }
