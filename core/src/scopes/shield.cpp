// shield.cpp - a watcher of its own between a task and the one that waits behind a shield.
#include <corun/shield.hpp>

namespace corun::detail {

shield_waiter::release_entry::release_entry(shield_waiter& w) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          auto& shield = static_cast<release_entry&>(e).waiting;
          if (turning && shield.wait_state_ == wait_state::waiting)
              shield.give();
      }),
      waiting(w) {}

bool shield_waiter::ready() {
    loop_core& core = this_core();
    if (target_ == core.current_task)
        throw_usage(errc::self_await, "a task can't await itself: it would wait for ever");
    if (!target_->is_done() && target_->core != &core)
        throw_usage(errc::foreign_loop, "this task belongs to another loop; await it there, or post() its result here");
    return target_->is_done() && core.may_go_on();
}

void shield_waiter::suspend(task_state& t) noexcept {
    if (target_->is_done())
        pass_through_queue(t);
    else if (begin(t))
        target_->watchers.push_back(release_);
}

void shield_waiter::check_end() {
    if (take_request())
        throw cancelled{};
    throw_end(*target_, false);
}

}
