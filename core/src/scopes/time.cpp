// time.cpp - sleeping: arming, falling due, being interrupted.
#include <corun/time.hpp>

namespace corun {

namespace detail {

void sleep_awaiter::suspend(task_state& t) {
    loop_core& core = *t.core;
    if (relative_ && when_ <= 0) {
        go_through_queue(t);   // as yield()
        return;
    }
    const time_point current = core.now();
    const time_point deadline = relative_ ? saturating_add(current, duration(when_)) : time_point(duration(when_));
    if (deadline <= current) {
        go_through_queue(t);
        return;
    }
    if (begin_interrupted(t))
        return;
    timer_.due = &t;
    core.arm(timer_, deadline, current);
    t.run = &due;
    stand_here(t);
}

void sleep_awaiter::due(entry& e, loop*) noexcept {
    auto& t = static_cast<task_state&>(e);
    t.run = &task_state::step;
    static_cast<sleep_awaiter&>(*t.waiting_on).end(wait_state::given);
}

interruption sleep_awaiter::interrupt(task_state*&) noexcept {
    if (wait_state_ != wait_state::waiting)
        return interruption::refused;
    if (timer_.is_armed())   // or due already, but the timer's entry has not run
        waiting_task()->core->disarm(timer_);
    waiting_task()->run = &task_state::step;
    end(wait_state::interrupted);
    return interruption::taken;
}

}

}
