// task_handle.cpp - joins, watchers, names.
#include <corun/task_handle.hpp>

#include <string>
#include <utility>

namespace corun {

std::string task_ref::name() const {
    const detail::task_state& t = state();
    return t.extras && !t.extras->name.empty() ? t.extras->name : "task-" + std::to_string(t.id);
}

bool callback_handle::cancel() noexcept {
    if (!is_pending())
        return false;
    detail::callback& c = *node_;
    // On a timer the node's reference goes with the timer; in a queue it goes when the entry's turn comes.
    if (c.timer.is_armed()) {
        if (detail::loop_core* const core = detail::try_core())
            core->disarm(c.timer);
        c.drop();
        c.release();
    } else {
        c.drop();
    }
    return true;
}

namespace detail {

void add_done_callback(task_state& t, callback& c) noexcept {
    if (t.is_done())
        core_of(*t.owner).schedule(c);
    else
        t.watchers.push_back(c);
}

void throw_end(task_state& t, bool own_request) {
    if (t.outcome == ending::error) {
        t.observed = true;
        std::rethrow_exception(t.error);
    }
    if (t.outcome == ending::cancelled) {
        if (own_request)
            throw cancelled{};
        throw task_cancelled{};
    }
}

void check_finished(task_state& t) {
    if (!t.is_done())
        throw_usage(errc::not_started, "task_handle::get(): the task has not ended; co_await the handle");
    throw_end(t, false);
}

bool join_waiter::ready() {
    loop_core& core = this_core();
    if (!target_->is_done()) {
        if (target_ == core.current_task)
            throw_usage(errc::self_await, "a task can't await itself: it would wait for ever");
        if (&core_of(*target_->owner) != &core)
            throw_usage(errc::foreign_loop, "this task belongs to another loop; await it there, or post() its result here");
        return false;
    }
    return core.may_go_on();
}

void join_waiter::begin(task_state& t) noexcept {
    task_ = &t;
    t.waiting_on = this;
    if (target_->is_done()) {   // only the budget is spent
        wait_state_ = wait_state::given;
        core_of(*t.owner).schedule(t);
        return;
    }
    wait_state_ = wait_state::waiting;
    target_->watchers.push_back(t);
    if (std::exchange(t.must_cancel, false)) {
        went_through_ = true;
        target_->cancel();
    }
}

interruption join_waiter::interrupt(task_state*& next) noexcept {
    if (wait_state_ != wait_state::waiting || target_->is_done())
        return interruption::refused;
    went_through_ = true;
    next = target_;
    return interruption::passed_on;
}

void join_waiter::break_ring() noexcept {
    task_->link<queue_tag>::unlink();
    wait_state_ = wait_state::interrupted;
    core_of(*task_->owner).schedule(*task_);
}

void join_waiter::check_end() {
    if (task_state* const t = std::exchange(task_, nullptr)) {
        // A request after the target's end: one's own; the outcome stays in the handle (4.5).
        if (std::exchange(t->must_cancel, false) || wait_state_ == wait_state::interrupted)
            throw cancelled{};
    }
    throw_end(*target_, went_through_);
}

}

}
