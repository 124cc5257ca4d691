// waiting.hpp - the inline part of waiter.hpp: how waits begin and end. Apart from it, because operations, which are waiters, stand below
// the loop in the order of headers.
#pragma once

#include <corun/detail/loop_core.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/waiter.hpp>

#include <utility>

namespace corun {

inline detail::task_state* waiter::waiting_task() const noexcept { return static_cast<detail::task_state*>(node_); }

inline void waiter::stand_here(detail::task_state& t) noexcept {
    node_ = &t;
    t.waiting_on = this;
    wait_state_ = wait_state::waiting;
}

inline bool waiter::begin_interrupted(detail::task_state& t) noexcept {
    if (!t.take_request())
        return false;
    stand_here(t);
    wait_state_ = wait_state::interrupted;
    t.core->schedule(t);
    return true;
}

inline bool waiter::begin(detail::task_state& t) noexcept {
    if (begin_interrupted(t))
        return false;
    stand_here(t);
    return true;
}

inline void waiter::go_through_queue(detail::task_state& t) noexcept {
    node_ = &t;
    t.core->schedule(t);
}

inline void waiter::end(wait_state how) noexcept {
    detail::task_state& t = *waiting_task();
    if (node_->is_linked())
        node_->unlink();
    wait_state_ = how;
    t.core->schedule(t);
}

inline void waiter::end_with_answer() noexcept { end(wait_state_ == wait_state::asked ? wait_state::asked : wait_state::given); }

inline bool waiter::take_request() noexcept {
    detail::task_state* const t = waiting_task();
    if (!t)
        return false;
    node_ = nullptr;
    return t->take_request() || wait_state_ == wait_state::interrupted;
}

inline bool waiter::take_request_after(bool is_cancelled) noexcept {
    if (!node_)
        return false;
    detail::task_state& t = *waiting_task();
    node_ = nullptr;
    if (wait_state_ == wait_state::interrupted || (wait_state_ == wait_state::asked && is_cancelled)) {
        (void)t.take_request();   // several requests before the delivery are one exception (5.1)
        return true;
    }
    if (wait_state_ == wait_state::asked)
        t.leave_request_pending();
    return false;
}

}
