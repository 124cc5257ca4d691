// wait.cpp - an entry of the wait's own among each task's watchers; it wakes the waiter a turn later.
#include <corun/wait.hpp>

namespace corun::detail {

wait_awaiter::release_entry::release_entry(wait_awaiter& w, task_state& t) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          auto& self = static_cast<release_entry&>(e);
          if (turning)
              self.waiting.ended(self.target);
      }),
      waiting(w),
      target(t) {}

wait_awaiter::due_entry::due_entry(wait_awaiter& w) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          auto& wait = static_cast<due_entry&>(e).waiting;
          if (turning && wait.wait_state_ == wait_state::waiting)
              wait.give();
      }),
      waiting(w) {}

wait_awaiter::wait_awaiter(std::vector<task_ref>&& tasks, return_when when, duration bound)
    : tasks_(std::move(tasks)), when_(when), bound_(bound), due_(*this), timer_(due_) {}

wait_awaiter::~wait_awaiter() { take_back_entries(); }

void wait_awaiter::suspend(task_state& t) {
    loop_core& core = *t.core;
    for (const task_ref& target : tasks_) {
        task_state& state = target.state();
        if (&state == &t)
            throw_usage(errc::self_await, "wait(): a task can't wait for itself");
        if (!state.is_done() && state.core != t.core)
            throw_usage(errc::foreign_loop, "wait(): this task belongs to another loop; wait for it there");
        releases_.emplace_back(*this, state);
    }
    left_ = releases_.size();
    if (bound_ != duration::max()) {
        const time_point current = core.now();
        core.arm(timer_, saturating_add(current, bound_), current);
        timers_of_ = &core;
    }
    if (!begin(t))
        return;
    if (left_ == 0)
        give();
    for (release_entry& r : releases_) {
        if (r.target.is_done())
            core.schedule(r);
        else
            r.target.watchers.push_back(r);
    }
}

void wait_awaiter::ended(task_state& target) noexcept {
    --left_;
    const bool enough = left_ == 0 || when_ == return_when::first || (when_ == return_when::first_error && target.outcome == ending::error);
    if (enough && wait_state_ == wait_state::waiting)
        give();
}

void wait_awaiter::take_back_entries() noexcept {
    for (release_entry& r : releases_)
        if (r.is_linked())
            r.unlink();
    if (due_.is_linked())
        due_.unlink();
    if (timer_.is_armed())
        timers_of_->disarm(timer_);
}

wait_result wait_awaiter::await_resume() {
    take_back_entries();
    if (take_request())
        throw cancelled{};
    wait_result result;
    for (task_ref& t : tasks_)
        (t.is_done() ? result.done : result.pending).push_back(std::move(t));
    return result;
}

}
