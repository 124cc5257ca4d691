// debug.cpp - see debug.hpp; what is found goes to the exception hook as a debug_warning.
#include <corun/detail/debug.hpp>
#include <corun/detail/inbox.hpp>
#include <corun/loop.hpp>

#include "describe_task.hpp"

#include <chrono>
#include <string>

namespace corun::detail {
namespace {

constexpr duration slow_step = std::chrono::milliseconds(100);

/// `text()` makes the words.
template <class F>
void warn(task_state& t, const char* message, F text) noexcept {
    report_task(t, message, error_or_reason([&] { return debug_warning(text()); }));
}

}

void check_step(task_state& t, loop_core& core, time_point began) noexcept {
    const duration took = core.now() - began;
    if (took > slow_step)
        warn(t, "a step was slow", [&] {
            return "a step took " + std::to_string(took / std::chrono::milliseconds(1)) +
                   " ms, and nothing else ran on the loop meanwhile; give long work to to_thread(): " + describe_task(t);
        });
    if (t.outcome == ending::value && t.cancel_requests > 0 && !t.must_cancel)
        warn(t, "a request to end was swallowed", [&] {
            return "the task was asked to end " + std::to_string(t.cancel_requests) +
                   " times and gave a value; pass `cancelled` on, or take the request back with uncancel()";
        });
}

void check_thread(const loop_core& core) {
    if (core.thread != std::this_thread::get_id())
        throw_usage(errc::wrong_thread, "this corun loop belongs to another thread; use loop_ref::post() or submit() to reach it");
}

void check_task_thread(const task_state& t) {
    // A finished task's loop may have gone.
    if (t.is_done())
        return;
    if (t.owner->box->is_of_parent())
        throw_forked();
    if (t.owner->debug)
        check_thread(*t.owner);
}

std::uint64_t running_task_id() noexcept {
    const loop_core* const core = try_core();
    return core && core->debug && core->current_task ? core->current_task->id : 0;
}

void check_holder(std::uint64_t holder) noexcept {
    const std::uint64_t id = running_task_id();
    if (id != 0 && holder != 0 && id != holder)
        warn(*try_core()->current_task, "a mutex was unlocked by another task than the one that locked it",
             [&] { return "task " + std::to_string(holder) + " locked it; let the guard of lock() unlock it"; });
}

void drop_unstarted(std::coroutine_handle<> frame) noexcept {
    if (loop* const l = loop::try_current(); l && core_of(*l).debug && !core_of(*l).destroying) {
        exception_report r;
        r.message = "a task was never awaited";
        r.error = error_or_reason([&] {
            return debug_warning("a corun::task was destroyed before it was awaited or spawned; it was made by " +
                                 describe_place(promise_of(frame).where));
        });
        l->report(r);
    }
    frame.destroy();
}

}
