// host_timers.hpp - timers for hosts that have none.
#pragma once

#include <corun/clock.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <utility>

namespace testing {

class host_timers {
public:
    void add(corun::duration d, std::function<void()> f) { functions_.emplace(now() + d, std::move(f)); }

    /// Until the first is due; duration::max() without any.
    corun::duration left() const {
        return functions_.empty() ? corun::duration::max() : std::max(functions_.begin()->first - now(), corun::duration::zero());
    }

    /// Those that are due now, each taken out before it is called.
    void run_due() {
        const auto current = now();
        while (!functions_.empty() && functions_.begin()->first <= current) {
            const auto f = std::move(functions_.begin()->second);
            functions_.erase(functions_.begin());
            f();
        }
    }

private:
    using clock = std::chrono::steady_clock;
    static std::chrono::time_point<clock, corun::duration> now() { return clock::now(); }

    std::multimap<std::chrono::time_point<clock, corun::duration>, std::function<void()>> functions_;
};

}
