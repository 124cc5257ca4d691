// task_handle.cpp - joins, watchers, names.
#include <corun/task_handle.hpp>

#include <string>
#include <utility>

namespace corun {

std::string task_ref::name() const { return state().name(); }

namespace detail {

void check_may_watch(const task_state& t) {
    if (t.is_done())
        loop_of_ended(t.loop_id);
}

void add_done_callback(task_state& t, callback& c) noexcept {
    if (t.is_done())
        loop_of_ended(t.loop_id).schedule(c);
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
        throw_usage(errc::not_done, "task_handle::get(): the task has not ended; co_await the handle");
    throw_end(t, false);
}

void join_waiter::check_target(const loop_core& core) const {
    if (target_ == core.current_task)
        throw_usage(errc::self_await, "a task can't await itself: it would wait for ever");
    if (target_->core != &core)
        throw_usage(errc::foreign_loop, "this task belongs to another loop; await it there, or post() its result here");
}

void join_waiter::suspend(task_state& t) noexcept {
    if (target_->is_done()) {   // only the budget is spent
        go_through_queue(t);
        return;
    }
    stand_here(t);
    target_->watchers.push_back(t);
    if (t.take_request()) {
        wait_state_ = wait_state::asked;
        target_->cancel(t.why_cancelled());
    }
}

interruption join_waiter::interrupt(task_state*& next) noexcept {
    if (target_->is_done() || (wait_state_ != wait_state::waiting && wait_state_ != wait_state::asked))
        return interruption::refused;
    wait_state_ = wait_state::asked;
    next = target_;
    return interruption::passed_on;
}

}

}
