// spawn.cpp - a task becomes known to its loop.
#include <corun/loop.hpp>
#include <corun/spawn.hpp>

namespace corun::detail {

void check_may_start(loop& l) {
    if (l.is_closed())
        throw_usage(errc::closed_loop, "this corun loop has been closed; no task can be started on it any more");
}

void inherit_locals(loop& l, task_state& t) {
    const task_state* const parent = core_of(l).current_task;
    if (parent && parent->extras && !parent->extras->locals.empty())
        t.make_extras().locals = parent->extras->locals;
}

void register_task(loop& l, task_state& t, child_owner* owner, std::coroutine_handle<> root) noexcept {
    loop_core& core = core_of(l);
    t.owner = &l;
    t.id = ++core.next_task_id;
    t.resume_point = root;
    t.group = owner;
    (owner ? owner->children : core.free_tasks).push_back(t);
    ++core.tasks;
    core.schedule(t);
}

}
