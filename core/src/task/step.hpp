// step.hpp - one resumption of a task. Here, so that a turn's loop has it in place.
#pragma once

#include <corun/detail/loop_core.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/task_state.hpp>

#include <utility>

namespace corun::detail {

/// The task's frames run until the next wait, or to their end, with which they go, and the callable that made the task; `stopped()` before
/// the end is told.
template <class F>
inline void run_step(task_state& t, loop_core& core, F stopped) noexcept {
    t.waiting_on = nullptr;
    ++core.figures.resumptions;
    core.current_task = &t;
    core.inline_left.step = inline_budget::most_per_step;
    t.resume_point.resume();
    while (core.next_in_place) [[unlikely]]
        std::exchange(core.next_in_place, nullptr).resume();
    if (t.ended) {
        promise_base& p = promise_of(t.resume_point);
        t.outcome = p.end;
        t.loop_id = core.id;
        if (p.end == ending::error) [[unlikely]]
            t.error = p.take_error();
        std::exchange(t.resume_point, nullptr).destroy();
        t.drop_call();
        core.current_task = nullptr;
        stopped();
        t.finish(core);
    } else {
        core.current_task = nullptr;
        t.since = core.stamp;
        stopped();
    }
}

inline void run_step(task_state& t, loop_core& core) noexcept {
    run_step(t, core, [] {});
}

}
