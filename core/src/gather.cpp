// gather.cpp - who decides, and what becomes of the others.
#include <corun/gather.hpp>
#include <corun/loop.hpp>

#include "describe_task.hpp"

#include <cstdio>

namespace corun::detail {

joint_scope::~joint_scope() {
    if (children.empty() || core_of(*parent().owner).destroying)
        return;
    // A start that threw leaves children behind: they are the loop's from here, and asked to end.
    cancel_children();
    children.for_each([this](task_state& child) {
        child.group = nullptr;
        child.link<registry_tag>::unlink();
        core_of(*parent().owner).free_tasks.push_back(child);
    });
}

void joint_scope::request() noexcept {
    requested_ = true;
    cancel_children();
}

void joint_scope::child_ended(task_state& child) noexcept {
    child_done();
    const bool is_error = child.outcome == ending::error;
    const bool decides = !decided_by_ && (is_error || (!requested_ && (goal_ == goal::first || child.outcome == ending::cancelled)));
    if (decides) {
        decided_by_ = task_ref(child);
        child.observed = true;
        if (!requested_)
            cancel_children();
    }
    if (unfinished() == 0)
        wake_owner();
}

void joint_scope::leave() {
    if (decided_by_) {
        // An error leaves also when it came after a request, which is delivered at the next suspension then.
        if (requested_)
            parent().must_cancel = true;
        throw_end(decided_by_.state(), false);
    } else if (requested_) {
        throw cancelled{};
    }
}

}
