// this_task.hpp - the task that runs now: who it is, and values that go with it.
#pragma once

#include <corun/task_handle.hpp>

#include <any>
#include <cstdint>
#include <string>
#include <utility>

namespace corun {

/// All throw usage_error(errc::not_started) where no task runs: outside a loop, in a callback.
namespace this_task {

/// The running task (asyncio.current_task).
task_ref handle();

/// Its id: unique in its loop, in creation order, from 1.
std::uint64_t id();

/// Its name: "task-<id>" unless one was given.
std::string name();
void set_name(std::string name);

}

namespace detail {
const std::any* find_local(const void* key);
void set_local(const void* key, std::any value);
}

/// A value that each task has its own of: copied to a task when it is spawned, changes don't leak back (contextvars). The
/// object itself is only the key, usually a global; T is copyable.
template <class T>
class task_local {
public:
    task_local() = default;
    /// `initial` is what a task sees that nobody has set a value in.
    explicit task_local(T initial) : initial_(std::move(initial)) {}
    task_local(const task_local&) = delete;
    task_local& operator=(const task_local&) = delete;

    /// This task's value.
    const T& get() const {
        const std::any* const found = detail::find_local(this);
        return found ? *std::any_cast<T>(found) : initial_;
    }

    /// Changes this task's value, for itself and the tasks it spawns from now on.
    void set(T value) { detail::set_local(this, std::any(std::move(value))); }

private:
    T initial_{};
};

}
