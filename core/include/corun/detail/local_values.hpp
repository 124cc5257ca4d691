// local_values.hpp - values of task_local: a task's own, and the copies that callbacks and calls on pool threads carry.
#pragma once

#include <corun/detail/local_slot.hpp>

#include <any>
#include <atomic>
#include <utility>

namespace corun::detail {

/// True once this process has made a task_local: spares everybody else the further questions.
inline constinit std::atomic<bool> locals_in_use = false;

inline bool may_have_locals() noexcept { return locals_in_use.load(std::memory_order_relaxed); }

local_key next_local_key() noexcept;

/// A copy of the values that the running code sees. Throws std::bad_alloc, or what copying a value throws.
local_slot copy_local_values();

/// The values that a new task, callback or call is given.
inline local_slot inherited_values() { return may_have_locals() ? copy_local_values() : nullptr; }

/// The value that the running code sees, or null; throws usage_error(errc::no_running_task) where nothing of a loop runs.
const std::any* find_local(local_key key);
void set_local(local_key key, std::any value);

/// While it lives, code of this thread that belongs to no task uses these values.
class values_in_use {
public:
    explicit values_in_use(local_slot& values) noexcept;
    values_in_use(const values_in_use&) = delete;
    ~values_in_use();

private:
    local_slot* outer_;
};

}
