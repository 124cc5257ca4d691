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
        loop_.arm(grace_timer_.timer, saturating_add(current, *grace_), current);
    }
}

void shut_down::cancel_in_rounds() {
    while (loop_.tasks > 0 && !loop_.stop_) {
        const std::vector<task_ref> round = loop_.all_tasks();
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
    loop_.arm(bound, saturating_add(current, pool_grace_), current);
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

void shut_down::give_up() {
    const std::vector<task_ref> left = loop_.all_tasks();
    for (const task_ref& t : left) {
        task_state& state = t.state();
        report_task(state, "a task did not stop within the shutdown grace",
                    std::make_exception_ptr(std::runtime_error(describe_task(state) + "; its frames are destroyed")));
    }
    loop_.closed = true;
    loop_.destroying = true;
    (void)loop_.box->refuse_posts();
    end_operations(left);
    if (loop_.pool_) {
        loop_.pool_->request_stop();
        loop_.pool_->wait_for_end(pool_grace_);
        loop_.pool_.reset();
    }
    drop_calls(loop_);
    loop_.box->take(loop_.ready);
    destroy_frames(left);
    while (!loop_.generators.empty())
        loop_.generators.pop_front();   // their owners destroy them
    loop_.destroying = false;
}

void shut_down::end_operations(const std::vector<task_ref>& left) noexcept {
    for (const task_ref& t : left) {
        task_state& state = t.state();
        task_state* next = nullptr;
        if (state.waiting_on)
            state.waiting_on->interrupt(next);
    }
    while (loop_.pending_operations > 0) {
        operation_list finished;
        loop_.engine->wait(no_deadline, finished);
        loop_.take_finished(finished);
    }
}

void shut_down::destroy_frames(const std::vector<task_ref>& left) noexcept {
    // The last made first: a group's children before the frame that holds the group.
    for (const task_ref& t : std::views::reverse(left)) {
        task_state& state = t.state();
        const auto* const lent = dynamic_cast<const thread_waiter*>(state.waiting_on);
        if (lent && lent->is_lent()) {
            // A pool thread still uses what this frame holds: a leak is the lesser evil.
            state.link<registry_tag>::unlink();
            --loop_.tasks;
            report_task(state, "a call on a pool thread did not end; the frames that wait for it are left behind",
                        std::make_exception_ptr(std::runtime_error(describe_task(state))));
            continue;
        }
        state.destroy_frames();
        state.finish(loop_);
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
