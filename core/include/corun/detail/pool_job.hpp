// pool_job.hpp - a call that a pool thread makes for a loop; its end comes back through the loop's inbox.
#pragma once

#include <corun/detail/entry.hpp>

#include <atomic>
#include <cstdint>

namespace corun::detail {

/// Held by the task that waits for it and by the pool; the last of the two frees it.
struct pool_job : entry {
    enum class verb : std::uint8_t { perform, free };
    using actor = void (*)(pool_job&, verb) noexcept;

    pool_job(actor a, action come_back) noexcept : entry(come_back), act(a) {}

    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            act(*this, verb::free);
    }

    void perform() noexcept {
        act(*this, verb::perform);
        has_ended.store(true, std::memory_order_release);
    }

    actor act;
    std::atomic<std::uint32_t> references = 1;
    bool begun = false;                    // under the pool's lock
    std::atomic<bool> has_ended = false;   // the call has; its end is on the way to the loop
};

}
