// timer_cancel.cpp - B2: n timers that are set and then cancelled; none fires.
#include "question.hpp"

#include <corun/corun.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace {

corun::task<> all_at_once(std::int64_t n) {
    corun::loop& loop = corun::loop::current();
    bench::delays delays;
    std::vector<corun::callback_handle> timers;
    timers.reserve(std::size_t(n));
    for (std::int64_t i = 0; i < n; ++i)
        timers.push_back(
            loop.call_after(std::chrono::hours(1) + std::chrono::microseconds(delays.next(100'000'000)), [] { std::abort(); }));
    for (auto& t : timers)
        t.cancel();
    co_return;
}

const bench::question b2("B2", [](std::int64_t n) { corun::run([n] { return all_at_once(n); }); });

}
