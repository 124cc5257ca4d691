// debug.hpp - what costs too much to be looked at always: slow steps, requests that vanish, tasks that never run, wrong threads.
#pragma once

#include <corun/clock.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>

namespace corun::detail {

struct loop_core;
struct task_state;

/// True once a loop of this process has run in debug mode: spares everybody else the further questions.
inline constinit std::atomic<bool> debug_in_use = false;

inline bool may_be_debugging() noexcept { return debug_in_use.load(std::memory_order_relaxed); }

/// After a step of a task of a loop in debug mode.
void check_step(task_state&, loop_core&, time_point began) noexcept;

/// Throws usage_error(errc::wrong_thread) on another thread than the loop's.
void check_thread(const loop_core&);

/// The same for a task's loop, if that is in debug mode; throws usage_error(errc::closed_loop) if it is a forked child's parent's.
void check_task_thread(const task_state&);

/// The running task's id; 0 outside tasks and where no loop is in debug mode.
std::uint64_t running_task_id() noexcept;

/// Reports that a lock is given up by another task than the one that took it.
void check_holder(std::uint64_t holder) noexcept;

/// Destroys the frame of a task that was never awaited; in debug mode it is reported.
void drop_unstarted(std::coroutine_handle<> frame) noexcept;

}
