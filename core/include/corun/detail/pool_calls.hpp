// pool_calls.hpp - giving a loop's pool a job, and taking one back.
#pragma once

#include <corun/detail/pool_job.hpp>

namespace corun::detail {

struct loop_core;

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
