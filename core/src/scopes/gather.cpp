// gather.cpp - who decides, and what becomes of the others.
#include <corun/gather.hpp>

#include "inspect/describe_task.hpp"

#include <cstdio>
#include <string_view>

namespace corun::detail {
namespace {

std::string_view folder_of(std::string_view file) noexcept { return file.substr(0, file.find_last_of("/\\") + 1); }

/// Where the program awaits what this coroutine of the library's is part of. A coroutine that stands in one of the library's headers, which
/// lie beside the one of `own`, is passed over; none of the program's may be left.
std::source_location awaited_at(const promise_base& own) noexcept {
    const std::string_view headers = folder_of(own.where.file_name());
    for (std::coroutine_handle<> above = own.continuation; above; above = promise_of(above).continuation)
        if (const std::source_location& where = promise_of(above).where; !std::string_view(where.file_name()).starts_with(headers))
            return where;
    return {};
}

}

joint_scope::~joint_scope() {
    if (children.empty() || parent().core->destroying)
        return;
    // A start that threw leaves children behind: they are the loop's from here, and asked to end.
    cancel_children(cancel_reason(cancel_origin::failed_group));
    children.for_each([this](task_state& child) {
        child.scope = nullptr;
        child.link<registry_tag>::unlink();
        parent().core->registry.free.push_back(child);
    });
}

void joint_scope::request() noexcept {
    requested_ = true;
    cancel_children(parent().why_cancelled());
}

/// Why the others are to end. The parent stands in all_ended(), which stands in the gather or race; one that is a task's first coroutine,
/// or a child of another one, has no place.
cancel_reason joint_scope::reason() const noexcept {
    const cancel_origin origin = goal_ == goal::first ? cancel_origin::lost_race : cancel_origin::failed_group;
    return {origin, awaited_at(promise_of(promise_of(parent().resume_point).continuation))};
}

void joint_scope::child_ended(task_state& child) noexcept {
    child_done();
    const bool is_error = child.outcome == ending::error;
    const bool decides = !decided_by_ && (is_error || (!requested_ && (goal_ == goal::first || child.outcome == ending::cancelled)));
    if (decides) {
        decided_by_ = task_ref(child);
        if (!requested_)
            cancel_children(reason());
    }
    if (unfinished() == 0)
        wake_parent();
}

void joint_scope::body_ended() noexcept {
    const loop_core* const core = try_core();
    if (!core || !core->current_task || core->destroying || decided_by_ || requested_)
        return;
    task_state& winner = *core->current_task;
    decided_by_ = task_ref(winner);
    winner.observed = true;
    children.for_each([&winner, why = reason()](task_state& child) {
        if (&child != &winner)
            child.cancel(why);
    });
}

void joint_scope::leave() {
    if (decided_by_) {
        // An error leaves also when it came after a request, which is delivered at the next suspension then.
        if (requested_)
            parent().leave_request_pending();
        throw_end(decided_by_.state(), false);
    } else if (requested_) {
        throw cancelled{};
    }
}

void check_not_empty(bool empty) {
    if (empty)
        throw_usage(errc::invalid_argument, "corun::race(): nothing in an empty range can be the first to end; give it at least one task");
}

}
