// this_task.cpp - the running task, and its local values.
#include <corun/this_task.hpp>

#include <algorithm>

namespace corun {

namespace this_task {

task_ref handle() { return task_ref(detail::this_task_state()); }
std::uint64_t id() { return detail::this_task_state().id; }
std::string name() { return handle().name(); }
void set_name(std::string name) { detail::this_task_state().make_extras().name = std::move(name); }

}

namespace detail {

const std::any* find_local(const void* key) {
    const task_state& t = this_task_state();
    if (!t.extras)
        return nullptr;
    const auto found = std::ranges::find(t.extras->locals, key, &std::pair<const void*, std::any>::first);
    return found == t.extras->locals.end() ? nullptr : &found->second;
}

void set_local(const void* key, std::any value) {
    auto& locals = this_task_state().make_extras().locals;
    const auto found = std::ranges::find(locals, key, &std::pair<const void*, std::any>::first);
    if (found == locals.end())
        locals.emplace_back(key, std::move(value));
    else
        found->second = std::move(value);
}

}

}
