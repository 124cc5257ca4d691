// timeout.cpp - entering, expiring and leaving a scope, in the order of asyncio's timeouts.py.
#include <corun/timeout.hpp>

#include <memory>

namespace corun {

void timeout_scope::enter(detail::task_state& t) {
    if (state_ != state::created)
        detail::throw_usage(errc::already_set, "corun::timeout_scope::run(): this scope has been used; make one for each await");
    task_ = &t;
    requests_at_entry_ = t.cancel_requests;
    const time_point current = t.core->now();
    if (relative_)
        deadline_ = saturating_add(current, deadline_.time_since_epoch());
    // The body's first suspension delivers it, after which the count alone can't tell it from the scope's own.
    request_was_first_ = t.has_request() && deadline_ <= current;
    arm(current);
    state_ = state::entered;
}

void timeout_scope::arm(time_point current) {
    detail::loop_core& core = *task_->core;
    if (deadline_ <= current)
        core.schedule(*this);   // as call_soon: the body's first step comes first
    else if (deadline_ != no_deadline)
        core.arm(timer_, deadline_, current);
}

void timeout_scope::disarm() noexcept {
    if (!is_expired() && timer_.is_armed())
        task_->core->disarm(timer_);
    if (is_linked())
        unlink();
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
    arm(task_->core->now());
}

void timeout_scope::on_due(detail::entry& e, loop* turning) noexcept {
    if (!turning)
        return;
    auto& scope = static_cast<timeout_scope&>(e);
    scope.state_ = state::expiring;
    std::construct_at(&scope.request_before_, scope.task_->why_cancelled());
    scope.task_->cancel(scope.reason());
}

bool timeout_scope::leave(bool left_cancelled) noexcept {
    disarm();
    if (state_ != state::expiring) {
        state_ = state::exited;
        return false;
    }
    state_ = state::expired;
    return task_->take_back(reason(), request_before_) <= requests_at_entry_ && left_cancelled && !request_was_first_;
}

}
