// hand_clock.hpp - a clock that the case moves, and what the loop asks of its backend meanwhile.
#pragma once

#include <corun/loop.hpp>
#include <corun/run_options.hpp>
#include <support/wrapped_backend.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace testing {

/// Outlives the loop that is told the time.
struct hand_clock {
    corun::time_point now = corun::time_point() + std::chrono::hours(1);
    std::uint64_t reads = 0;
    std::uint64_t waits = 0;
    std::vector<std::uint64_t> resumptions;   ///< of the loop, at each wait
};

/// The default backend, whose clock moves when the case says so. Its waits never block: for programs that are always ready.
class hand_clock_backend final : public wrapped_backend {
public:
    explicit hand_clock_backend(hand_clock& c) : clock_(c) {}

    corun::time_point now() const noexcept override {
        ++clock_.reads;
        return clock_.now;
    }
    corun::waited wait(corun::time_point, corun::operation_list& finished) noexcept override {
        ++clock_.waits;
        if (const corun::loop* const l = corun::loop::try_current())
            clock_.resumptions.push_back(l->counters().resumptions);
        return real().wait(corun::time_point::min(), finished);
    }

private:
    hand_clock& clock_;
};

/// `run(by_hand(c), main)`.
inline corun::run_options by_hand(hand_clock& c) { return corun::run_options().with(std::make_unique<hand_clock_backend>(c)); }

}
