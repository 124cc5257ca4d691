// task_state.cpp - steps, requests and ends of tasks.
#include <corun/detail/promise.hpp>
#include <corun/detail/report.hpp>
#include <corun/detail/waiting.hpp>

#include "task/step.hpp"

#include <memory>
#include <utility>

namespace corun::detail {
namespace {

/// The group's bookkeeping, with the finished child's own node as its entry: one turn after the end (3.3).
void tell_scope(entry& e, loop* l) noexcept {
    auto& child = static_cast<task_state&>(e);
    if (l && child.scope)
        child.scope->child_ended(child);
    child.release();
}

/// True if `above` can't end before `t`, which is in one of its scopes, or in one of a task there.
bool waits_for_child(const task_state& above, const task_state& t) noexcept {
    for (const scope* s = t.scope; s; s = s->parent_task().scope)
        if (&s->parent_task() == &above)
            return true;
    return false;
}

}

// Turns know both by their addresses and run them in place (step.hpp); where a function has two, across a library's border, these do the
// same, unwatched.
void task_state::step(entry& e, loop* l) noexcept {
    auto& t = static_cast<task_state&>(e);
    if (l)
        run_step(t, *t.core);
}

void task_state::first_step(entry& e, loop* l) noexcept {
    auto& t = static_cast<task_state&>(e);
    if (l && t.begin(*t.core))
        run_step(t, *t.core);
}

bool task_state::begin(loop_core& l) noexcept {
    run = &step;
    if (!take_request())
        return true;
    ++l.figures.resumptions;
    destroy_frames();
    finish(l);
    return false;
}

void task_state::finish(loop_core& l) noexcept {
    link<registry_tag>::unlink();
    --l.registry.count;
    if (scope) {
        run = &tell_scope;
        l.schedule(*this);
        l.ready.splice_back(watchers);
    } else {
        l.ready.splice_back(watchers);
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
    loop_id = core->id;
}

bool task_state::cancel(cancel_reason why) noexcept {
    if (is_done() || core->forked)
        return false;
    task_state* t = this;
    // Brent's: a ring of tasks that join each other would otherwise be walked for ever. A ring may also close through a scope, whose parent
    // would send the request back to its children.
    const task_state* mark = this;
    for (std::size_t steps = 0, limit = 1;; ++steps) {
        ++t->cancel_requests;
        std::construct_at(&t->reason_, why);
        if (!t->waiting_on) {
            t->must_cancel_ = true;
            return true;
        }
        task_state* next = nullptr;
        switch (t->waiting_on->interrupt(next)) {
        case interruption::taken: return true;
        case interruption::refused: t->must_cancel_ = true; return true;
        case interruption::passed_on: break;
        }
        if (next == mark || waits_for_child(*next, *this)) {
            t->waiting_on->end(waiter::wait_state::interrupted);
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
    if (cancel_requests > 0 && --cancel_requests == 0) {
        must_cancel_ = false;
        held_requests = 0;
    }
    return cancel_requests;
}

// A later request has this one's reason as its `before`, which comes again if that one is taken back: which stands where is no reason
// for a list of requests in each task.
std::uint32_t task_state::take_back(const cancel_reason& own, const cancel_reason& before) noexcept {
    if (reason_ == own)
        reason_ = before;
    return uncancel();
}

std::string task_state::name() const { return extras && !extras->name.empty() ? extras->name : "task-" + std::to_string(id); }

void task_state::report(const char* message, const std::exception_ptr& why) const noexcept {
    try {
        const std::string named = name();
        exception_report r;
        r.message = message;
        r.error = why;
        r.task_id = id;
        r.task_name = named;
        report_here(r);
    } catch (...) {
        report_current_exception(message);
    }
}

void task_state::last_reference_gone() noexcept {
    if (outcome == ending::error && !observed)
        report("a task failed and nobody awaited it", error);
    act(*this, verb::free);
}

}
