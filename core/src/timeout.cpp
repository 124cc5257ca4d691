// timeout.cpp - entering, expiring and leaving a scope, in the order of asyncio's timeouts.py.
#include <corun/loop.hpp>
#include <corun/timeout.hpp>

namespace corun {

void timeout_scope::enter(detail::task_state& t) {
    if (state_ != state::created)
        detail::throw_usage(errc::already_set, "corun::timeout_scope::run(): this scope has been used; make one for each await");
    task_ = &t;
    requests_at_entry_ = t.cancel_requests;
    const time_point current = detail::core_of(*t.owner).now();
    if (relative_)
        deadline_ = saturating_add(current, deadline_.time_since_epoch());
    arm(current);
    state_ = state::entered;
}

void timeout_scope::arm(time_point current) {
    detail::loop_core& core = detail::core_of(*task_->owner);
    if (deadline_ <= current)
        core.schedule(due_);   // as call_soon: the body's first step comes first
    else if (deadline_ != no_deadline)
        core.arm(timer_, deadline_, current);
}

void timeout_scope::disarm() noexcept {
    if (timer_.is_armed())
        detail::core_of(*task_->owner).disarm(timer_);
    if (due_.is_linked())
        due_.unlink();
}

void timeout_scope::reschedule(time_point deadline) {
    if (state_ == state::created) {
        relative_ = false;
        deadline_ = deadline;
        return;
    }
    if (state_ != state::entered)
        detail::throw_usage(errc::already_set, "corun::timeout_scope::reschedule(): the scope has expired or has been left");
    disarm();
    deadline_ = deadline;
    arm(detail::core_of(*task_->owner).now());
}

void timeout_scope::due_entry::on_due(detail::entry& e, loop* turning) noexcept {
    if (!turning)
        return;
    timeout_scope& scope = static_cast<due_entry&>(e).scope;
    scope.state_ = state::expiring;
    scope.task_->cancel();
}

bool timeout_scope::leave(bool left_cancelled) noexcept {
    disarm();
    if (state_ != state::expiring) {
        state_ = state::exited;
        return false;
    }
    state_ = state::expired;
    return task_->uncancel() <= requests_at_entry_ && left_cancelled;
}

}
