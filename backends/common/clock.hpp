// clock.hpp - the clock of every backend of a real system.
#pragma once

#include <corun/clock.hpp>

#include <algorithm>
#include <chrono>

namespace corun::common {

inline time_point now() noexcept {
    return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

/// How long it is until then; zero for what is past.
inline duration time_until(time_point deadline) noexcept {
    if (deadline <= time_point())   // long past: saves reading the clock
        return duration::zero();
    return std::max(deadline - now(), duration::zero());
}

}
