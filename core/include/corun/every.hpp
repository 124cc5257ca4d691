// every.hpp - a beat: something to be done again and again, in phase.
#pragma once

#include <corun/detail/request.hpp>
#include <corun/loop.hpp>
#include <corun/time.hpp>

#include <chrono>
#include <optional>

namespace corun {

class interval;

namespace detail {

/// Waits for one beat of an interval, which is taken when it has come.
class beat_awaiter {
public:
    explicit beat_awaiter(interval& of);
    beat_awaiter(const beat_awaiter&) = delete;

    bool await_ready() const noexcept { return sleep_.await_ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        sleep_.await_suspend(h, where);
    }
    void await_resume();

private:
    interval* of_;
    time_point beat_;
    sleep_awaiter sleep_;
};

/// One beat as a value, for what takes awaitables.
using beat_request = request<beat_awaiter, interval&>;

}

/// A periodic deadline: `auto beat = every(100ms); for (;;) { co_await beat; ... }`. The first beat comes one period after the first await.
/// An await that begins late ends at once, one time however many beats were missed, and the phase is kept (3.7). A beat is taken by the
/// await that it ends: one that was cancelled, having lost a race say, has taken none. For one task at a time.
class interval {
public:
    explicit interval(duration period) : period_(period) {
        if (period <= duration::zero())
            detail::throw_usage(errc::invalid_argument, "corun::every(): the period must be positive");
    }

    /// Waits for the next beat. A request ends the wait with `cancelled`; the next await waits for the same beat.
    detail::beat_awaiter operator co_await() & { return detail::beat_awaiter(*this); }

    /// The same as a value: `co_await race(beat.next(), messages.get())`. The interval must outlive it.
    detail::beat_request next() & noexcept { return detail::beat_request(*this); }

    /// What every() was given.
    duration period() const noexcept { return period_; }

private:
    friend detail::beat_awaiter;

    /// The beat to wait for; of those that were missed only the last counts.
    time_point due(time_point now) noexcept {
        if (!next_)
            next_ = saturating_add(now, period_);
        if (now > *next_)
            *next_ += (now - *next_) / period_ * period_;
        return *next_;
    }
    void take(time_point beat) noexcept { next_ = saturating_add(beat, period_); }

    duration period_;
    std::optional<time_point> next_;
};

inline detail::beat_awaiter::beat_awaiter(interval& of) : of_(&of), beat_(of.due(loop::current().time())), sleep_(beat_) {}

inline void detail::beat_awaiter::await_resume() {
    sleep_.await_resume();
    of_->take(beat_);
}

/// A beat every `period`, which is positive: usage_error otherwise.
template <class Rep, class Period>
[[nodiscard("nothing happens until a beat is awaited")]] interval every(std::chrono::duration<Rep, Period> period) {
    return interval(saturating_nanoseconds(period));
}

}
