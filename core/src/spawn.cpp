// spawn.cpp - a task becomes known to its loop.
#include <corun/loop.hpp>
#include <corun/spawn.hpp>

namespace corun::detail {

void throw_closed() { throw_usage(errc::closed_loop, "this corun loop has been closed; no task can be started on it any more"); }

void copy_locals(const task_extras& from, task_state& to) {
    if (!from.locals.empty())
        to.make_extras().locals = from.locals;
}

void register_task(loop_core& core, task_state& t, child_owner* owner, std::coroutine_handle<> root) noexcept {
    t.owner = &core;
    t.id = ++core.next_task_id;
    t.resume_point = root;
    t.since = core.stamp;
    t.group = owner;
    (owner ? owner->children : core.free_tasks).push_back(t);
    ++core.tasks;
    core.schedule(t);
}

}
