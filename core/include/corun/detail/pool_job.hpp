// pool_job.hpp - a call that a pool thread makes for a loop; its end comes back through the loop's inbox.
#pragma once

#include <corun/detail/entry.hpp>

#include <atomic>
#include <cstdint>

namespace corun::detail {

struct loop_core;

/// Held by whoever waits for it and by the pool; whoever lets go last frees it.
struct pool_job : entry {
    enum class verb : std::uint8_t { perform, free };
    using actor = void (*)(pool_job&, verb) noexcept;

    pool_job(actor a, action ended) noexcept : entry(ended), act(a) {}

    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            act(*this, verb::free);
    }

    actor act;
    std::atomic<std::uint32_t> references = 1;
    bool begun = false;   // under the pool's lock
};

/// Queues a job on the pool of this loop, which takes a reference. When the job is done, its entry runs on the loop's thread
/// and owes the pool's reference. Throws std::system_error if no thread can be made.
void start_on_pool(loop_core&, pool_job&);

/// True if the job had not begun: it never will, and the pool has let go of it.
bool withdraw_from_pool(loop_core&, pool_job&) noexcept;

/// Simulation: makes the call of the first job on this thread; its end is ready then.
void make_next_call(loop_core&) noexcept;

/// Simulation: lets go of the jobs that never began.
void drop_calls(loop_core&) noexcept;

}
