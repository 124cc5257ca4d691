// debug.hpp - what costs too much to be looked at always: slow steps, requests that vanish, tasks that never run, wrong threads.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/loop_core.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace corun::detail {

inline bool may_be_debugging() noexcept { return debug_in_use.load(std::memory_order_relaxed); }

/// One resumption of a task of a loop in debug mode, with a look at how long it takes and at what it leaves behind.
void run_watched_step(task_state&, loop_core&) noexcept;

/// Throws usage_error(errc::wrong_thread) on another thread than the loop's.
void check_thread(const loop_core&);

/// The same for a task's loop, if that is in debug mode; throws usage_error(errc::closed_loop) if it is a forked child's parent's.
void check_task_thread(const task_state&);

/// The running task's id; 0 outside tasks and where no loop is in debug mode.
std::uint64_t running_task_id() noexcept;

/// Reports that a lock is given up by another task than the one that took it.
void check_holder(std::uint64_t holder) noexcept;

/// Reports that all threads of the pool are taken while another call waits for one.
void tell_of_full_pool(loop_core&, std::size_t threads) noexcept;

/// Destroys the frame of a task that was never awaited; in debug mode it is reported.
void drop_unstarted(std::coroutine_handle<> frame) noexcept;

}
