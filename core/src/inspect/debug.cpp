// debug.cpp - see debug.hpp; what is found goes to the exception hook as a debug_warning.
#include <corun/detail/debug.hpp>
#include <corun/detail/inbox.hpp>
#include <corun/detail/report.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/errors.hpp>

#include "inspect/describe_task.hpp"
#include "task/step.hpp"

#include <chrono>
#include <string>

namespace corun::detail {
namespace {

/// `text()` makes the words.
template <class F>
void warn(task_state& t, const char* message, F text) noexcept {
    t.report(message, error_or_reason([&] { return debug_warning(text()); }));
}

/// What a step leaves behind.
void check_step(task_state& t, loop_core& core, time_point began) noexcept {
    const duration took = core.now() - began;
    if (took > core.slow_step)
        warn(t, "a step was slow", [&] {
            return "a step took " + std::to_string(took / std::chrono::milliseconds(1)) +
                   " ms, and nothing else ran on the loop meanwhile; give long work to to_thread(): " + describe_task(t);
        });
    if (t.outcome == ending::value && t.cancel_requests > 0 && !t.has_request())
        warn(t, "a request to end was swallowed", [&] {
            return "the task was " + text_of_requests(t.cancel_requests, t.why_cancelled()) +
                   " and gave a value; pass `cancelled` on, or take the request back with uncancel()";
        });
}

}

void run_watched_step(task_state& t, loop_core& core) noexcept {
    const time_point began = core.now();
    run_step(t, core, [&] { check_step(t, core, began); });
}

void check_thread(const loop_core& core) {
    if (core.thread != std::this_thread::get_id())
        throw_usage(errc::wrong_thread, "this corun loop belongs to another thread; use loop_ref::post() or submit() to reach it");
}

void check_task_thread(const task_state& t) {
    // A finished task's loop may have gone.
    if (t.is_done())
        return;
    if (t.core->inbox->is_of_parent())
        throw_forked();
    if (t.core->debug)
        check_thread(*t.core);
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

void tell_of_full_pool(loop_core& core, std::size_t threads) noexcept {
    if (core.current_task)
        warn(*core.current_task, "all threads of the pool are taken", [&] {
            return "the pool's " + std::to_string(threads) +
                   " threads are all in calls, and another call waits for one; if those calls wait for it, none goes on: give the loop "
                   "more "
                   "with run_options::pool_threads()";
        });
}

void drop_unstarted(std::coroutine_handle<> frame) noexcept {
    if (const loop_core* const core = try_core(); core && !core->forked && core->debug && !core->destroying) {
        exception_report r;
        r.message = "a task was never awaited";
        r.error = error_or_reason([&] {
            return debug_warning("a corun::task was destroyed before it was awaited or spawned; it was made by " +
                                 describe_place(promise_of(frame).where));
        });
        report_here(r);
    }
    frame.destroy();
}

}
