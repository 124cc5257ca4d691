// wait_pacing.hpp - how many turns may do without a look at the kernel, so that work that is ready does not keep it waiting (3.1).
#pragma once

#include <corun/clock.hpp>

#include <chrono>
#include <cstdint>

namespace corun {
class backend;
}

namespace corun::detail {

class wait_pacing {
public:
    /// A loop begins.
    void begin(time_point current) noexcept { last_wait_ = current; }

    /// Asked once a turn in which something is ready; `resumptions` is how many there have been. The clock is read in some turns only.
    bool may_skip(std::uint64_t resumptions, const backend& clock) noexcept {
        return (--left_ >= 0 && resumptions < resumptions_to_wait_) || may_go_on_skipping(resumptions, clock);
    }

    /// A deadline has come already: the next turn waits, without blocking.
    void look_at_clock() noexcept {
        looks_at_clock_ = true;
        left_ = 0;
    }
    bool looks_at_clock() const noexcept { return looks_at_clock_; }

    /// There was a wait; `was_busy`: something was ready meanwhile.
    void note_wait(bool was_busy, std::uint64_t resumptions, time_point current) noexcept;
    time_point last_wait() const noexcept { return last_wait_; }

private:
    static constexpr int most_skips = 60;
    static constexpr int turns_between_looks = 8;   // at the clock, while waits are skipped
    static constexpr duration longest_skip = std::chrono::microseconds(50);
    static constexpr std::uint64_t most_resumptions = 1000;

    bool may_go_on_skipping(std::uint64_t resumptions, const backend& clock) noexcept;

    int left_ = 0;   // turns that may do without a wait before that is thought about again
    int skipped_ = 0;
    int limit_ = most_skips;
    bool looks_at_clock_ = false;
    std::uint64_t resumptions_to_wait_ = most_resumptions;   // with so many the wait is due
    time_point last_wait_{};
};

}
