// every.hpp - a beat: something to be done again and again, in phase.
#pragma once

#include <corun/loop.hpp>
#include <corun/time.hpp>

#include <chrono>
#include <optional>

namespace corun {

/// A periodic deadline: `auto beat = every(100ms); for (;;) { co_await beat; ... }`. The first beat comes one period after the first await.
/// Who comes late goes on at once, one time however many beats were missed, and the phase is kept (3.7).
class interval {
public:
    explicit interval(duration period) : period_(period) {
        if (period <= duration::zero())
            detail::throw_usage(errc::not_started, "corun::every(): the period must be positive");
    }

    /// Waits for the next beat. A request ends the wait with `cancelled`; that beat counts as taken.
    detail::sleep_awaiter operator co_await() & {
        const time_point now = loop::current().time();
        if (!next_)
            next_ = saturating_add(now, period_);
        // Of the beats that were missed only the last counts.
        if (now > *next_)
            *next_ += (now - *next_) / period_ * period_;
        const time_point beat = *next_;
        next_ = saturating_add(beat, period_);
        return detail::sleep_awaiter(beat);
    }

    duration period() const noexcept { return period_; }

private:
    duration period_;
    std::optional<time_point> next_;
};

/// A beat every `period`, which is positive: usage_error otherwise.
template <class Rep, class Period>
interval every(std::chrono::duration<Rep, Period> period) {
    return interval(saturating_nanoseconds(period));
}

}
