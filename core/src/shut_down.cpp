// shut_down.cpp - the steps of shut_down.hpp.
#include "shut_down.hpp"

#include "describe_task.hpp"
#include "thread_pool.hpp"

#include <corun/detail/generator_promise.hpp>
#include <corun/detail/pool_job.hpp>
#include <corun/spawn.hpp>
#include <corun/task.hpp>
#include <corun/task_handle.hpp>
#include <corun/to_thread.hpp>

#include <algorithm>
#include <ranges>
#include <stdexcept>

namespace corun::detail {
namespace {

std::exception_ptr error_about(task_state& t, const char* more) noexcept {
    return error_or_reason([&] { return std::runtime_error(describe_task(t) + more); });
}

}

shut_down::grace_timer::grace_timer(loop& l) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          if (turning)
              static_cast<grace_timer&>(e).ending.stop_ = true;
      }),
      ending(l),
      timer(*this) {}

shut_down::shut_down(loop& l, std::optional<duration> grace, duration pool_grace) noexcept
    : loop_(l), grace_timer_(l), grace_(grace), pool_grace_(pool_grace) {}

void shut_down::operator()() noexcept {
    begin();
    do {
        cancel_in_rounds();
        close_generators();
        join_pool();
        run_posts();
        if (loop_.forked)
            return;   // nothing of a parent's loop is touched
    } while (!loop_.stop_ && (loop_.tasks > 0 || !loop_.generators.empty() || refuse_posts()));
    if (grace_timer_.timer.is_armed())
        loop_.disarm(grace_timer_.timer);
    if (loop_.tasks > 0)
        give_up();
    loop_.closed = true;
    loop_.box->close(loop_.ready);
    drop_entries();
}

void shut_down::begin() {
    loop_.shutting_down_ = true;
    loop_.stop_ = false;
    loop_.interrupts_.default_after = loop_.interrupts_seen_ + 2;
    if (grace_) {
        const time_point current = loop_.now();
        loop_.arm_spare(grace_timer_.timer, saturating_add(current, *grace_), current);
    }
}

void shut_down::cancel_in_rounds() {
    while (loop_.tasks > 0 && !loop_.stop_) {
        std::vector<task_ref> round;
        try {
            round = loop_.all_tasks();
        } catch (const std::bad_alloc&) {
            cancel_without_list();
            continue;
        }
        tell_of_leftovers(round);
        for (const task_ref& t : round)
            t.cancel();
        for (const task_ref& t : round)
            while (!t.is_done() && !loop_.stop_)
                loop_.turn();
        for (const task_ref& t : round) {
            task_state& state = t.state();
            if (state.outcome == ending::error) {
                state.observed = true;
                report_task(state, "a task failed while it was cancelled at the end of the run", state.error);
            }
        }
    }
}

/// A round without memory for a list: each task is looked for, and its failure is left to be reported as one that nobody awaited.
void shut_down::cancel_without_list() noexcept {
    report_current_exception("no memory for a list of the left-over tasks; they are cancelled one after another");
    const std::uint64_t youngest = loop_.next_task_id;
    std::uint64_t last = 0;
    for (task_state* t = task_after(last); t && t->id <= youngest; t = task_after(last)) {
        last = t->id;
        t->cancel();
    }
    for (task_state* t = task_after(0); t && t->id <= youngest && !loop_.stop_; t = task_after(0))
        loop_.turn();
}

/// The unfinished task with the lowest number above `id`, or null.
task_state* shut_down::task_after(std::uint64_t id) noexcept {
    task_state* found = nullptr;
    loop_.for_each_task([&found, id](task_state& t) {
        if (t.id > id && (!found || t.id < found->id))
            found = &t;
    });
    return found;
}

/// The unfinished task that was made last, or null.
task_state* shut_down::last_task() noexcept {
    task_state* found = nullptr;
    loop_.for_each_task([&found](task_state& t) {
        if (!found || t.id > found->id)
            found = &t;
    });
    return found;
}

void shut_down::tell_of_leftovers(const std::vector<task_ref>& round) noexcept {
    if (!loop_.leftovers_hook_)
        return;
    try {
        loop_.leftovers_hook_(round);
    } catch (...) {
        report_current_exception("the hook for left-over tasks threw");
    }
}

void shut_down::close_generators() {
    while (!loop_.generators.empty() && !loop_.stop_) {
        generator_promise& g = loop_.generators.front();
        g.link<generator_tag>::unlink();
        if (g.has_ended())
            continue;
        try {
            const auto closing = start_any(loop_, nullptr, close_left_over(g));
            while (!closing.is_done() && !loop_.stop_)
                loop_.turn();
            if (!closing.is_done())
                return;
            if (task_state& state = closing.state(); state.outcome == ending::error) {
                state.observed = true;
                report_task(state, "a generator failed while it was closed at the end of the run", state.error);
            }
        } catch (...) {
            report_current_exception("a generator could not be closed at the end of the run");
        }
    }
}

void shut_down::join_pool() {
    while (!loop_.calls.empty() && !loop_.stop_)
        make_next_call(loop_);
    if (!loop_.pool_ || loop_.stop_)
        return;
    loop_.pool_->request_stop();
    if (loop_.engine->simulated()) {
        // Virtual time would jump over the bound while a real thread is at work.
        loop_.pool_->wait_for_end(pool_grace_);
        loop_.pool_.reset();
        return;
    }
    timer_node bound;
    entry on_bound([](entry&, loop*) noexcept {});
    bound.due = &on_bound;
    const time_point current = loop_.now();
    loop_.arm_spare(bound, saturating_add(current, pool_grace_), current);
    while (!loop_.pool_->has_ended() && bound.is_armed() && !loop_.stop_)
        loop_.turn();
    if (bound.is_armed())
        loop_.disarm(bound);
    if (on_bound.is_linked())
        on_bound.unlink();
    if (!loop_.stop_)
        loop_.pool_.reset();
}

void shut_down::run_posts() noexcept {
    // Once: a thread that posts until it is refused must not keep the loop open.
    if (!loop_.stop_ && (loop_.own_posts_ || loop_.box->is_filled()))
        loop_.turn();
}

/// True if a post had come in before, which then has run: it may have started a task.
bool shut_down::refuse_posts() noexcept {
    if (!loop_.box->refuse_posts() && !loop_.own_posts_)
        return false;
    loop_.turn();
    return true;
}

void shut_down::give_up() noexcept {
    for_each_in_order([](task_state& t) {
        report_task(t, "a task did not stop within the shutdown grace", error_about(t, "; its frames are destroyed"));
    });
    loop_.closed = true;
    loop_.destroying = true;
    (void)loop_.box->refuse_posts();
    end_operations();
    if (loop_.pool_) {
        loop_.pool_->request_stop();
        loop_.pool_->wait_for_end(pool_grace_);
        loop_.pool_.reset();
    }
    drop_calls(loop_);
    loop_.box->take(loop_.ready);
    destroy_frames();
    while (!loop_.generators.empty())
        loop_.generators.pop_front();   // their owners destroy them
    loop_.destroying = false;
}

void shut_down::end_operations() noexcept {
    for_each_in_order([](task_state& t) {
        task_state* next = nullptr;
        if (t.waiting_on)
            t.waiting_on->interrupt(next);
    });
    while (loop_.pending_operations > 0) {
        operation_list finished;
        loop_.engine->wait(no_deadline, finished);
        loop_.take_finished(finished);
    }
}

void shut_down::destroy_frames() noexcept {
    // The last made first: a group's children before the frame that holds the group.
    try {
        for (const task_ref& t : std::views::reverse(loop_.all_tasks()))
            destroy_frames_of(t.state());
    } catch (const std::bad_alloc&) {
        while (task_state* const last = last_task())
            destroy_frames_of(*last);
    }
}

void shut_down::destroy_frames_of(task_state& state) noexcept {
    const task_ref kept(state);
    const auto* const lent = dynamic_cast<const thread_waiter*>(state.waiting_on);
    if (lent && lent->is_lent()) {
        // A pool thread still uses what this frame holds: a leak is the lesser evil.
        state.link<registry_tag>::unlink();
        --loop_.tasks;
        report_task(state, "a call on a pool thread did not end; the frames that wait for it are left behind", error_about(state, ""));
        return;
    }
    state.destroy_frames();
    state.finish(loop_);
}

/// In creation order, if there is memory for a list.
template <class F>
void shut_down::for_each_in_order(F f) noexcept {
    try {
        for (const task_ref& t : loop_.all_tasks())
            f(t.state());
    } catch (const std::bad_alloc&) {
        loop_.for_each_task(f);
    }
}

void shut_down::drop_entries() noexcept {
    while (!loop_.timers.empty()) {
        timer_node& node = loop_.timers.first();
        loop_.disarm(node);
        node.due->run(*node.due, nullptr);
    }
    while (!loop_.ready.empty()) {
        entry& e = loop_.ready.pop_front();
        e.run(e, nullptr);
    }
}

}
