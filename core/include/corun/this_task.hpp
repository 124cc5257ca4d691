// this_task.hpp - the task that runs now: who it is, and values that go with it.
#pragma once

#include <corun/cancel_reason.hpp>
#include <corun/detail/local_values.hpp>
#include <corun/task_handle.hpp>

#include <any>
#include <cstdint>
#include <string>
#include <utility>

namespace corun {

/// All throw usage_error where no task runs: errc::no_running_loop outside a loop, errc::no_running_task in a callback.
namespace this_task {

/// The running task (asyncio.current_task).
task_ref handle();

/// Its id: unique in its loop, in creation order, from 1.
std::uint64_t id();

/// Its name: "task-<id>" unless one was given.
std::string name();

/// Another name, for dumps and reports (Task.set_name).
void set_name(std::string name);

/// Who made the last request to end, and where; it stays after an uncancel() until the count is 0, then it is cancel_origin::none.
cancel_reason why_cancelled();

}

/// A value that each task has its own of (contextvars): copied to a task when it is spawned, to a callback when it is given to the loop or
/// to on_done(), to a post made in one of these, and to a call of to_thread() when that is awaited; changes don't leak back. The object
/// itself is only the key, usually a global: values that were set stay in their tasks when it goes. T is copyable.
template <class T>
class task_local {
public:
    task_local() = default;
    /// `initial` is what a task sees that nobody has set a value in.
    explicit task_local(T initial) : initial_(std::move(initial)) {}
    task_local(const task_local&) = delete;
    task_local& operator=(const task_local&) = delete;

    /// This task's, callback's or call's value; usage_error(errc::no_running_task) where none of them runs.
    const T& get() const {
        const std::any* const found = detail::find_local(key_);
        return found ? *std::any_cast<T>(found) : initial_;
    }

    /// Changes it for the running task, callback or call, and for what these start from now on.
    void set(T value) { detail::set_local(key_, std::any(std::move(value))); }

private:
    T initial_{};
    detail::local_key key_ = detail::next_local_key();
};

}
