// sleep.cpp - B1: n tasks that sleep for up to 100 ms, from spawn to join.
#include "question.hpp"

#include <corun/corun.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace {

corun::task<> sleeper(std::chrono::microseconds d) { co_await corun::sleep_for(d); }

corun::task<> all_at_once(std::int64_t n) {
    bench::delays delays;
    std::vector<corun::task_handle<>> sleepers;
    sleepers.reserve(std::size_t(n));
    for (std::int64_t i = 0; i < n; ++i)
        sleepers.push_back(corun::spawn(sleeper(std::chrono::microseconds(delays.next(100'000)))));
    for (auto& s : sleepers)
        co_await s;
}

const bench::question b1("B1", [](std::int64_t n) { corun::run([n] { return all_at_once(n); }); });

}
