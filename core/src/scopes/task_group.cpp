// task_group.cpp - asyncio's taskgroups.py, in its order of steps.
#include <corun/exception_group.hpp>
#include <corun/task_group.hpp>

#include "inspect/describe_task.hpp"

#include <cstdio>
#include <new>

namespace corun {

task_group::~task_group() {
    if (children.empty() || parent().core->destroying)
        return;
    std::fprintf(stderr,
                 "corun: the task group of %s, is destroyed while children run; its frame must not be destroyed before they have ended\n",
                 detail::describe_task(parent()).c_str());
    std::terminate();
}

void task_group::check_active() const {
    if (detail::try_core() != parent().core)
        detail::throw_usage(errc::foreign_loop, "this task group belongs to another loop; post() to it and spawn there");
    if (exiting_ && unfinished() == 0)
        detail::throw_usage(errc::group_not_active, "task_group::spawn(): the group has ended");
    if (aborting_)
        detail::throw_usage(errc::group_not_active, "task_group::spawn(): the group is ending, no child can be started in it any more");
}

void task_group::note_start(detail::start_record& record, const detail::task_state& child) noexcept {
    record.child = &child;
    if (!record.is_ready())
        starting_.push_back(record);
}

bool task_group::is_starting(const detail::task_state& child) noexcept {
    bool found = false;
    starting_.for_each([&](detail::start_record& r) { found = found || r.child == &child; });
    return found;
}

void task_group::abort(const cancel_reason& why) noexcept {
    aborting_ = true;
    cancel_children(why);
}

void task_group::cancel_parent(const cancel_reason& why) noexcept {
    parent_cancel_requested_ = true;
    own_request_ = why;
    request_before_ = parent().why_cancelled();
    parent().cancel(why);
}

void task_group::cancel(std::source_location where) noexcept {
    if (exiting_ && unfinished() == 0)
        return;
    const cancel_reason why(cancel_origin::explicit_call, where);
    cancel_called_ = true;
    if (!aborting_)
        abort(why);
    if (!parent_cancel_requested_) {
        outside_pending_ = parent().has_request();
        cancel_parent(why);
    }
}

/// The children end for what the body ended for; a `cancelled` that nobody asked for is a failure of its.
cancel_reason task_group::request_or_failure(bool is_request) const noexcept {
    return is_request && parent().cancel_requests > 0 ? parent().why_cancelled() : failure();
}

void task_group::child_ended(detail::task_state& child) noexcept {
    child_done();
    // The parent first: what it then hears of a failure comes on top of the wake-up.
    if (unfinished() == 0)
        wake_parent();
    if (child.outcome != detail::ending::error)
        return;
    if (is_starting(child)) {
        child.observed = true;
        return;
    }
    try {
        errors_.push_back(child.error);
        child.observed = true;
    } catch (const std::bad_alloc&) {
        // Not observed: the hook hears of it instead.
    }
    if (!aborting_ && !parent_cancel_requested_) {
        abort(failure());
        cancel_parent(failure());
    }
}

void task_group::body_ended(const outcome<void>& left) noexcept {
    exiting_ = true;
    propagates_cancel_ = left.is_cancelled();
    // What is pending now is the wait's; the others the body was given.
    outside_given_ = outside_requests() - (outside_pending_ && parent().has_request() ? 1 : 0);
    if (!left.has_value() && !aborting_)
        abort(request_or_failure(left.is_cancelled()));
}

void task_group::wait_ended_by_request() noexcept {
    if (!aborting_ || outside_requests() > outside_given_)
        propagates_cancel_ = true;
    if (!aborting_)
        abort(request_or_failure(true));
}

std::uint32_t task_group::outside_requests() const noexcept { return parent().cancel_requests - (parent_cancel_requested_ ? 1 : 0); }

void task_group::leave(const outcome<void>& left) {
    if (parent_cancel_requested_) {
        const std::uint32_t requests = parent().take_back(own_request_, request_before_);
        // It was the group's own unless the count tells that somebody else asked as well.
        if (requests == 0 || (cancel_called_ && requests <= requests_at_entry_))
            propagates_cancel_ = false;
    }
    if (propagates_cancel_ && errors_.empty() && !left.is_error()) {
        // Delivered hereby, if the request is the group's own; another one waits for the next suspension.
        if (parent_cancel_requested_ && !outside_pending_)
            (void)parent().take_request();
        throw cancelled{};
    }
    if (left.is_error())
        errors_.push_back(left.error());
    if (errors_.empty())
        return;
    // A request from outside that came meanwhile is delivered at the next suspension; the count stays.
    if (parent().cancel_requests > 0) {
        const cancel_reason why = parent().why_cancelled();
        parent().uncancel();
        parent().cancel(why);
    }
    throw exception_group("unhandled errors in a task group", std::move(errors_));
}

}
