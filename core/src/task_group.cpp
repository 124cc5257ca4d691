// task_group.cpp - asyncio's taskgroups.py, in its order of steps.
#include <corun/exception_group.hpp>
#include <corun/loop.hpp>
#include <corun/task_group.hpp>

#include "describe_task.hpp"

#include <cstdio>
#include <new>

namespace corun {

task_group::~task_group() {
    if (children.empty() || detail::core_of(*parent().owner).destroying)
        return;
    std::fprintf(stderr,
                 "corun: the task group of %s is destroyed while children run; its frame must not be destroyed before they have ended\n",
                 detail::describe_task(parent()).c_str());
    std::terminate();
}

void task_group::check_active() const {
    if (detail::try_core() != parent().owner)
        detail::throw_usage(errc::foreign_loop, "this task group belongs to another loop; post() to it and spawn there");
    if (exiting_ && unfinished() == 0)
        detail::throw_usage(errc::group_not_active, "task_group::spawn(): the group has ended");
    if (aborting_)
        detail::throw_usage(errc::group_not_active, "task_group::spawn(): the group is ending, no child can be started in it any more");
}

void task_group::throw_not_ready() {
    detail::throw_usage(errc::not_started,
                        "task_group::start(): the child ended and never said that it was ready; call its corun::started");
}

void task_group::abort() noexcept {
    aborting_ = true;
    cancel_children();
}

void task_group::cancel_parent() noexcept {
    parent_cancel_requested_ = true;
    parent().cancel();
}

void task_group::cancel() noexcept {
    if (exiting_ && unfinished() == 0)
        return;
    cancel_called_ = true;
    if (!aborting_)
        abort();
    if (!parent_cancel_requested_) {
        outside_pending_ = parent().must_cancel;
        cancel_parent();
    }
}

void task_group::child_ended(detail::task_state& child) noexcept {
    child_done();
    // The owner first: what it then hears of a failure comes on top of the wake-up.
    if (unfinished() == 0)
        wake_owner();
    if (child.outcome != detail::ending::error)
        return;
    try {
        errors_.push_back(child.error);
        child.observed = true;
    } catch (const std::bad_alloc&) {
        // Not observed: the hook hears of it instead.
    }
    if (!aborting_ && !parent_cancel_requested_) {
        abort();
        cancel_parent();
    }
}

void task_group::body_ended(const outcome<void>& left) noexcept {
    exiting_ = true;
    propagates_cancel_ = left.is_cancelled();
    // What is pending now is the wait's; the others the body was given.
    outside_given_ = outside_requests() - (outside_pending_ && parent().must_cancel ? 1 : 0);
    if (!left.has_value() && !aborting_)
        abort();
}

void task_group::wait_ended_by_request() noexcept {
    if (!aborting_ || outside_requests() > outside_given_)
        propagates_cancel_ = true;
    if (!aborting_)
        abort();
}

std::uint32_t task_group::outside_requests() const noexcept { return parent().cancel_requests - (parent_cancel_requested_ ? 1 : 0); }

void task_group::leave(const outcome<void>& left) {
    if (parent_cancel_requested_) {
        const std::uint32_t requests = parent().uncancel();
        // It was the group's own unless the count tells that somebody else asked as well.
        if (requests == 0 || (cancel_called_ && requests <= requests_at_entry_))
            propagates_cancel_ = false;
    }
    if (propagates_cancel_ && errors_.empty() && !left.is_error()) {
        parent().must_cancel = false;   // delivered hereby, if it was not yet
        throw cancelled{};
    }
    if (left.is_error())
        errors_.push_back(left.error());
    if (errors_.empty())
        return;
    // A request from outside that came meanwhile is delivered at the next suspension; the count stays.
    if (parent().cancel_requests > 0) {
        parent().uncancel();
        parent().cancel();
    }
    throw exception_group("unhandled errors in a task group", std::move(errors_));
}

}
