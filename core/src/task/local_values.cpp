// local_values.cpp - whose values the running code sees: its task's, else those of the callback or the call it runs in.
#include <corun/detail/local_values.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/task_state.hpp>

#include <algorithm>

namespace corun::detail {
namespace {

thread_local local_slot* slot_here = nullptr;

/// Null where no values have been set, and where there are none: the second is told by `task`.
const local_values* values_here() noexcept {
    if (const loop_core* const core = try_core(); core && core->current_task)
        return core->current_task->extras ? core->current_task->extras->locals.get() : nullptr;
    return slot_here ? slot_here->get() : nullptr;
}

[[noreturn]] void throw_no_place() {
    throw_usage(errc::no_running_task,
                "a corun::task_local has a value inside a task, a callback or a call of to_thread(); nothing of these runs here");
}

local_slot& place_here() {
    if (loop_core* const core = try_core(); core && core->current_task)
        return core->current_task->make_extras().locals;
    if (!slot_here)
        throw_no_place();
    return *slot_here;
}

}

local_key next_local_key() noexcept {
    static constinit std::atomic<local_key> last = 0;
    locals_in_use.store(true, std::memory_order_relaxed);
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

local_slot copy_local_values() {
    const local_values* const here = values_here();
    return here ? std::make_unique<local_values>(*here) : nullptr;
}

const std::any* find_local(local_key key) {
    const local_values* const here = values_here();
    if (!here) {
        if (!slot_here && !try_core())
            throw_no_place();
        return nullptr;
    }
    const auto found = std::ranges::find(here->values, key, &std::pair<local_key, std::any>::first);
    return found == here->values.end() ? nullptr : &found->second;
}

void set_local(local_key key, std::any value) {
    local_slot& here = place_here();
    if (!here)
        here = std::make_unique<local_values>();
    const auto found = std::ranges::find(here->values, key, &std::pair<local_key, std::any>::first);
    if (found == here->values.end())
        here->values.emplace_front(key, std::move(value));
    else
        found->second = std::move(value);
}

values_in_use::values_in_use(local_slot& values) noexcept : outer_(std::exchange(slot_here, &values)) {}

values_in_use::~values_in_use() { slot_here = outer_; }

}
