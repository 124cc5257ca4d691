// time.cpp - sleeping: arming, falling due, being interrupted.
#include <corun/errors.hpp>
#include <corun/loop.hpp>
#include <corun/time.hpp>

namespace corun {

time_point clock::now() noexcept {
    if (const detail::loop_core* const core = detail::try_core())
        return core->now();
    return time_point(std::chrono::duration_cast<clock::duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

namespace detail {

void throw_not_a_duration() { throw_usage(errc::not_started, "corun: a delay is not a number (NaN); give a length of time"); }

void sleep_awaiter::begin(task_state& t) {
    loop_core& core = core_of(*t.owner);
    if (relative_ && when_ <= 0) {
        task_ = &t;
        core.schedule(t);   // as yield(): a request stays with the task until it resumes
        return;
    }
    const time_point current = core.now();
    const time_point deadline = relative_ ? saturating_add(current, duration(when_)) : time_point(duration(when_));
    if (deadline <= current) {
        task_ = &t;
        core.schedule(t);
        return;
    }
    if (t.must_cancel) {
        t.must_cancel = false;
        wait_state_ = wait_state::interrupted;
        core.schedule(t);
    } else {
        timer_.due = &t;
        core.arm(timer_, deadline, current);
        t.run = &due;
        wait_state_ = wait_state::waiting;
    }
    task_ = &t;
    t.waiting_on = this;
}

void sleep_awaiter::due(entry& e, loop*) noexcept {
    auto& t = static_cast<task_state&>(e);
    static_cast<sleep_awaiter*>(t.waiting_on)->wait_state_ = wait_state::given;
    t.run = &task_state::step;
    core_of(*t.owner).schedule(t);
}

interruption sleep_awaiter::interrupt(task_state*&) noexcept {
    if (wait_state_ != wait_state::waiting)
        return interruption::refused;
    loop_core& core = core_of(*task_->owner);
    if (timer_.is_armed())
        core.disarm(timer_);
    else
        task_->link<queue_tag>::unlink();   // due already, but the timer's entry has not run
    wait_state_ = wait_state::interrupted;
    task_->run = &task_state::step;
    core.schedule(*task_);
    return interruption::taken;
}

}

}
