// wait_readable.hpp - a wait for one descriptor.
#pragma once

#include "../common/clock.hpp"
#include "sys.hpp"

#include <algorithm>
#include <chrono>
#include <climits>

namespace corun::posix {

/// Returns when `fd` polls readable, or at the deadline.
inline void wait_readable(int fd, time_point deadline) noexcept {
    for (;;) {
        int milliseconds = -1;
        if (deadline != no_deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(common::time_until(deadline)).count();
            milliseconds = static_cast<int>(std::min<decltype(left)>(left, INT_MAX));
        }
        pollfd p{fd, POLLIN, 0};
        if (sys::poll(&p, 1, milliseconds) >= 0 || errno != EINTR)
            return;
    }
}

}
