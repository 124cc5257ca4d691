// task_state.cpp - steps, requests and ends of tasks.
#include <corun/detail/debug.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/promise.hpp>
#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace corun {

void waiter::leave() noexcept {
    if (task_->waiting_on == this)
        task_->waiting_on = nullptr;
    if (task_->detail::link<detail::queue_tag>::is_linked())
        task_->detail::link<detail::queue_tag>::unlink();
    task_ = nullptr;
}

namespace detail {
namespace {

/// The group's bookkeeping, with the finished child's own node as its entry: one turn after the end (3.3).
void tell_owner(entry& e, loop* l) noexcept {
    auto& child = static_cast<task_state&>(e);
    if (l && child.group)
        child.group->child_ended(child);
    child.release();
}

}

void task_state::step(entry& e, loop* l) noexcept {
    auto& t = static_cast<task_state&>(e);
    if (!l)
        return;
    loop_core& core = *t.owner;
    t.waiting_on = nullptr;
    ++core.resumptions;
    if (!t.started) {
        t.started = true;
        if (t.must_cancel) {   // never enters its body (5.2)
            t.must_cancel = false;
            t.destroy_frames();
            t.finish(core);
            return;
        }
    }
    const time_point began = core.debug ? core.now() : time_point();
    core.current_task = &t;
    core.inline_left = std::min(loop_core::inline_per_step, core.turn_inline_left);
    t.resume_point.resume();
    while (core.next_in_place)
        std::exchange(core.next_in_place, nullptr).resume();
    if (t.ended) {
        promise_base& p = promise_of(t.resume_point);
        t.outcome = p.end;
        t.error = p.take_error();
        std::exchange(t.resume_point, nullptr).destroy();
        t.drop_call();
        core.current_task = nullptr;
        if (core.debug)
            check_step(t, core, began);
        t.finish(core);
    } else {
        core.current_task = nullptr;
        t.since = core.stamp;
        if (core.debug)
            check_step(t, core, began);
    }
}

void task_state::finish(loop_core& core) noexcept {
    link<registry_tag>::unlink();
    --core.tasks;
    if (group) {
        run = &tell_owner;
        core.schedule(*this);
        core.ready.splice_back(watchers);
    } else {
        core.ready.splice_back(watchers);
        release();
    }
}

void task_state::destroy_frames() noexcept {
    if (link<queue_tag>::is_linked())
        link<queue_tag>::unlink();
    // From the leaf, each taken out of its parent's awaiter first: a chain of any length needs no stack.
    for (std::coroutine_handle<> leaf = std::exchange(resume_point, nullptr); leaf;) {
        promise_base& p = promise_of(leaf);
        const std::coroutine_handle<> parent = p.continuation;
        if (p.place)
            *p.place = nullptr;
        leaf.destroy();
        leaf = parent;
    }
    waiting_on = nullptr;
    drop_call();
    outcome = ending::cancelled;
}

bool task_state::cancel() noexcept {
    if (is_done() || owner->forked)
        return false;
    task_state* t = this;
    // Brent's: a ring of tasks that join each other would otherwise be walked for ever.
    const task_state* mark = this;
    for (std::size_t steps = 0, limit = 1;; ++steps) {
        ++t->cancel_requests;
        if (!t->waiting_on) {
            t->must_cancel = true;
            return true;
        }
        task_state* next = nullptr;
        switch (t->waiting_on->interrupt(next)) {
        case interruption::taken: return true;
        case interruption::refused: t->must_cancel = true; return true;
        case interruption::passed_on: break;
        }
        if (next == mark) {
            static_cast<join_waiter*>(t->waiting_on)->break_ring();
            return true;
        }
        if (steps == limit) {
            mark = t;
            limit *= 2;
            steps = 0;
        }
        t = next;
    }
}

std::uint32_t task_state::uncancel() noexcept {
    if (cancel_requests > 0 && --cancel_requests == 0)
        must_cancel = false;
    return cancel_requests;
}

void task_state::last_reference_gone() noexcept {
    if (outcome == ending::error && !observed)
        report_unobserved(*this, "a task failed and nobody awaited it");
    act(*this, verb::free);
}

void memory_waiter::throw_abandoned() {
    throw std::system_error(std::make_error_code(std::errc::operation_canceled),
                            "corun: the object this task waited for was destroyed; keep it alive until its waiters are done");
}

void waiter_list::check_same_loop() const {
    const loop_core* core = try_core();
    if (!core)
        core = guest_core();
    if (!core || core->id != loop_id_)
        throw_usage(errc::foreign_loop, "this corun object is bound to the loop of its first waiter and can't be used from another loop or "
                                        "thread; use loop::post() to reach its loop");
}

void waiter_list::abandon_all(const char* primitive) noexcept {
    if (empty())
        return;
    report_destroyed_with_waiters(primitive);
    while (!empty())
        front().abandon();
}

}

}
