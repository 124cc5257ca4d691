// wait_pacing.cpp - the limit follows what the turns between two waits were like.
#include <corun/backend.hpp>
#include <corun/detail/wait_pacing.hpp>

#include <algorithm>

namespace corun::detail {

/// As many turns have skipped the wait as may without a look at the clock.
bool wait_pacing::may_go_on_skipping(std::uint64_t resumptions, const backend& clock) noexcept {
    if (looks_at_clock_ || skipped_ >= limit_ || resumptions >= resumptions_to_wait_ || clock.now() - last_wait_ > longest_skip)
        return false;
    // The limit is what the last turns were like; these may take longer.
    left_ = std::min(turns_between_looks, limit_ - skipped_);
    skipped_ += left_--;
    return true;
}

void wait_pacing::note_wait(bool was_busy, std::uint64_t resumptions, time_point current) noexcept {
    // Work that takes long between two waits must not keep the kernel waiting for 60 turns of it.
    if (was_busy)
        limit_ = current - last_wait_ > longest_skip ? limit_ / 2 : std::min(2 * limit_ + 1, most_skips);
    last_wait_ = current;
    skipped_ = left_ = std::min(turns_between_looks - 1, limit_);
    resumptions_to_wait_ = resumptions + most_resumptions;
    looks_at_clock_ = false;
}

}
