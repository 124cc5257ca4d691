// clock.hpp - the loop's clock: monotonic, in nanoseconds, virtual where the backend says so.
#pragma once

#include <chrono>
#include <cstdint>

namespace corun {

/// The clock of the current loop; outside a loop, the system's monotonic clock. Never early, never backwards (3.5).
struct clock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<clock, duration>;
    static constexpr bool is_steady = true;

    /// Reads the clock of the loop that runs on this thread, else std::chrono::steady_clock.
    static time_point now() noexcept;
};

/// A length of time, in nanoseconds.
using duration = clock::duration;

/// A point in time of the loop's clock: a deadline.
using time_point = clock::time_point;

/// The deadline that never comes.
inline constexpr time_point no_deadline = time_point::max();

namespace detail {

[[noreturn]] void throw_not_a_duration();

}

/// `now + d` without overflow: what lies beyond the end of time is `no_deadline` (3.5).
constexpr time_point saturating_add(time_point now, duration d) noexcept {
    if (d > duration::zero() && now > time_point::max() - d)
        return time_point::max();
    if (d < duration::zero() && now < time_point::min() - d)
        return time_point::min();
    return now + d;
}

/// Converts any duration to nanoseconds, rounding up; what does not fit saturates. A NaN is a usage_error (errc::invalid_argument).
template <class Rep, class Period>
constexpr duration saturating_nanoseconds(std::chrono::duration<Rep, Period> d) noexcept(!std::chrono::treat_as_floating_point_v<Rep>) {
    using wide = std::chrono::duration<long double, std::nano>;
    const auto exact = std::chrono::duration_cast<wide>(d);
    if (exact >= wide(duration::max()))
        return duration::max();
    if (exact <= wide(duration::min()))
        return duration::min();
    if (!(exact == exact))
        detail::throw_not_a_duration();
    return std::chrono::ceil<duration>(d);
}

}
