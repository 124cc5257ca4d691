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
    : loop_(l),
      grace_timer_(l),
      grace_(grace),
      pool_grace_(pool_grace),
      on_pool_bound_([](entry&, loop*) noexcept {}),
      pool_bound_(on_pool_bound_) {}

bool shut_down::advance() noexcept {
    for (;;) {
        switch (stage_) {
        case stage::beginning:
            begin();
            stage_ = stage::rounds;
            break;
        case stage::rounds:
            if (!cancel_in_rounds())
                return false;
            stage_ = stage::generators;
            break;
        case stage::generators:
            if (!close_generators())
                return false;
            stage_ = stage::pool;
            break;
        case stage::pool:
            if (!join_pool())
                return false;
            stage_ = stage::posts;
            break;
        case stage::posts:
            if (!run_posts())
                return false;
            stage_ = stage::refusing;
            break;
        case stage::refusing:
            if (loop_.forked) {
                stage_ = stage::over;   // nothing of a parent's loop is touched
            } else if (loop_.stop_) {
                close_loop();
            } else if (loop_.tasks > 0 || !loop_.generators.empty()) {
                stage_ = stage::rounds;
            } else if (!refuse_posts()) {
                stage_ = stage::rounds;
                return false;
            } else {
                close_loop();
            }
            break;
        case stage::over: return true;
        }
    }
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

void shut_down::close_loop() noexcept {
    if (grace_timer_.timer.is_armed())
        loop_.disarm(grace_timer_.timer);
    if (loop_.tasks > 0)
        give_up();
    loop_.closed = true;
    loop_.box->close(loop_.ready);
    drop_entries();
    stage_ = stage::over;
}

bool shut_down::cancel_in_rounds() {
    for (;;) {
        if (!in_round_) {
            if (loop_.tasks == 0 || loop_.stop_)
                return true;
            begin_round();
        }
        if (!is_round_over() && !loop_.stop_)
            return false;
        end_round();
    }
}

void shut_down::begin_round() {
    in_round_ = true;
    try {
        round_ = loop_.all_tasks();
    } catch (const std::bad_alloc&) {
        begin_round_without_list();
        return;
    }
    tell_of_leftovers();
    for (const task_ref& t : round_)
        t.cancel();
}

/// A round without memory for a list: each task is looked for, and its failure is left to be reported as one that nobody awaited.
void shut_down::begin_round_without_list() noexcept {
    report_current_exception("no memory for a list of the left-over tasks; they are cancelled one after another");
    round_last_ = loop_.next_task_id;
    std::uint64_t last = 0;
    for (task_state* t = task_after(last); t && t->id <= round_last_; t = task_after(last)) {
        last = t->id;
        t->cancel();
    }
}

bool shut_down::is_round_over() noexcept {
    while (ended_ < round_.size() && round_[ended_].is_done())
        ++ended_;
    if (ended_ < round_.size())
        return false;
    const task_state* const first = round_last_ == 0 ? nullptr : task_after(0);
    return !first || first->id > round_last_;
}

void shut_down::end_round() noexcept {
    for (const task_ref& t : round_) {
        task_state& state = t.state();
        if (state.outcome == ending::error) {
            state.observed = true;
            report_task(state, "a task failed while it was cancelled at the end of the run", state.error);
        }
    }
    round_ = {};
    ended_ = 0;
    round_last_ = 0;
    in_round_ = false;
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

void shut_down::tell_of_leftovers() noexcept {
    if (!loop_.leftovers_hook_)
        return;
    try {
        loop_.leftovers_hook_(round_);
    } catch (...) {
        report_current_exception("the hook for left-over tasks threw");
    }
}

bool shut_down::close_generators() {
    for (;;) {
        if (closing_) {
            if (!closing_.is_done() && !loop_.stop_)
                return false;
            end_closing();
        }
        if (loop_.generators.empty() || loop_.stop_)
            return true;
        generator_promise& g = loop_.generators.front();
        g.link<generator_tag>::unlink();
        if (!g.has_ended())
            begin_to_close(g);
    }
}

void shut_down::begin_to_close(generator_promise& g) noexcept {
    try {
        closing_ = start_any(loop_, nullptr, close_left_over(g));
    } catch (...) {
        report_current_exception("a generator could not be closed at the end of the run");
    }
}

void shut_down::end_closing() noexcept {
    const task_handle<> closing = std::exchange(closing_, {});
    if (task_state& state = closing.state(); state.outcome == ending::error) {
        state.observed = true;
        report_task(state, "a generator failed while it was closed at the end of the run", state.error);
    }
}

bool shut_down::join_pool() {
    if (!joining_) {
        while (!loop_.calls.empty() && !loop_.stop_)
            make_next_call(loop_);
        if (!loop_.pool_ || loop_.stop_)
            return true;
        loop_.pool_->request_stop();
        if (loop_.engine->simulated()) {
            // Virtual time would jump over the bound while a real thread is at work.
            loop_.pool_->wait_for_end(pool_grace_);
            loop_.pool_.reset();
            return true;
        }
        const time_point current = loop_.now();
        loop_.arm_spare(pool_bound_, saturating_add(current, pool_grace_), current);
        joining_ = true;
    }
    if (!loop_.pool_->has_ended() && pool_bound_.is_armed() && !loop_.stop_)
        return false;
    if (pool_bound_.is_armed())
        loop_.disarm(pool_bound_);
    if (on_pool_bound_.is_linked())
        on_pool_bound_.unlink();
    if (!loop_.stop_)
        loop_.pool_.reset();
    joining_ = false;
    return true;
}

bool shut_down::run_posts() noexcept {
    // Once: a thread that posts until it is refused must not keep the loop open.
    ran_posts_ = !ran_posts_ && !loop_.stop_ && (loop_.own_posts_ || loop_.box->is_filled());
    return !ran_posts_;
}

/// False if a post had come in before, which then is to run: it may start a task.
bool shut_down::refuse_posts() noexcept { return !loop_.box->refuse_posts() && !loop_.own_posts_; }

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
