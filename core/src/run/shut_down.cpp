// shut_down.cpp - the steps of shut_down.hpp.
#include "run/shut_down.hpp"

#include "inspect/describe_task.hpp"
#include "run/task_batch.hpp"
#include "threads/thread_pool.hpp"

#include <corun/detail/generator_promise.hpp>
#include <corun/detail/pool_calls.hpp>
#include <corun/spawn.hpp>
#include <corun/task.hpp>
#include <corun/task_handle.hpp>

#include <algorithm>
#include <ranges>
#include <stdexcept>

namespace corun::detail {
namespace {

constexpr cancel_reason end_of_run(cancel_origin::shut_down);

std::exception_ptr error_about(task_state& t, const char* more) noexcept {
    return error_or_reason([&] { return std::runtime_error(describe_task(t) + more); });
}

/// True if a pool thread may use what the task's frames hold.
bool is_lent(const task_state& t) noexcept { return t.waiting_on && t.waiting_on->is_lent(); }

}

shut_down::grace_timer::grace_timer(loop& l) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          if (turning)
              static_cast<grace_timer&>(e).ending.attention.stop();
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
            make_calls();
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
            } else if (loop_.attention.is_stopped()) {
                begin_to_give_up();
                stage_ = stage::operations;
            } else if (loop_.registry.count > 0 || !loop_.registry.generators.empty()) {
                stage_ = stage::rounds;
            } else if (!refuse_posts()) {
                stage_ = stage::rounds;
                return false;
            } else {
                close_loop();
            }
            break;
        case stage::operations:
            hold_entries();
            // Those on the pool have been withdrawn, or a thread is at them: that is waited for next.
            if (loop_.registry.count > 0 && loop_.figures.pending_operations > loop_.figures.operations_on_pool)
                return false;
            stage_ = stage::calls;
            break;
        case stage::calls:
            hold_entries();
            if (loop_.registry.count > 0 && !join_pool())
                return false;
            give_up();
            close_loop();
            break;
        case stage::over: return true;
        }
    }
}

void shut_down::begin() {
    loop_.attention.go_on();
    loop_.interrupts_.begin_shut_down();
    begin_grace();
}

void shut_down::begin_grace() noexcept {
    if (!grace_)
        return;
    const time_point current = loop_.now();
    loop_.arm_spare(grace_timer_.timer, saturating_add(current, *grace_), current);
}

void shut_down::end_grace() noexcept {
    if (grace_timer_.timer.is_armed())
        loop_.disarm(grace_timer_.timer);
    if (grace_timer_.is_linked())
        grace_timer_.unlink();
}

void shut_down::close_loop() noexcept {
    loop_.closed = true;
    loop_.inbox->close(loop_.ready);
    drop_calls(loop_);   // of a run that was stopped: of awaits that were broken off
    drop_entries();
    stage_ = stage::over;
}

bool shut_down::cancel_in_rounds() {
    for (;;) {
        if (!in_round_) {
            if (loop_.registry.count == 0 || loop_.attention.is_stopped())
                return true;
            begin_round();
        }
        if (!is_round_over() && !loop_.attention.is_stopped())
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
        t.state().cancel(end_of_run);
}

/// A round without memory for a list: tasks are looked for in batches, and a failure is left to be reported as one that nobody awaited.
void shut_down::begin_round_without_list() noexcept {
    report_current_exception("no memory for a list of the left-over tasks; they are cancelled one after another");
    round_last_ = loop_.registry.last_id;
    for_each_in_batches([this](task_state& t) {
        if (t.id <= round_last_)
            t.cancel(end_of_run);
    });
}

bool shut_down::is_round_over() noexcept {
    while (ended_ < round_.size() && round_[ended_].is_done())
        ++ended_;
    if (ended_ < round_.size())
        return false;
    return round_last_ == 0 || is_round_without_list_over();
}

/// Looks at all tasks only when the one that it found last has ended.
bool shut_down::is_round_without_list_over() noexcept {
    if (unfinished_ && !unfinished_.is_done())
        return false;
    task_state* found = nullptr;
    for_each_task(loop_, [&found, this](task_state& t) {
        // They end in the order in which they were cancelled, as a rule.
        if (t.id <= round_last_ && (!found || t.id > found->id))
            found = &t;
    });
    unfinished_ = found ? task_ref(*found) : task_ref();
    return !found;
}

void shut_down::end_round() noexcept {
    for (const task_ref& t : round_) {
        task_state& state = t.state();
        if (state.outcome == ending::error) {
            state.observed = true;
            state.report("a task failed while it was cancelled at the end of the run", state.error);
        }
    }
    round_ = {};
    ended_ = 0;
    round_last_ = 0;
    unfinished_ = {};
    in_round_ = false;
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
            if (!closing_.is_done() && !loop_.attention.is_stopped())
                return false;
            end_closing();
        }
        if (loop_.registry.generators.empty() || loop_.attention.is_stopped())
            return true;
        generator_promise& g = loop_.registry.generators.front();
        g.link<generator_tag>::unlink();
        begin_to_close(g);   // has not ended: the await that finds a generator ended destroys it
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
        state.report("a generator failed while it was closed at the end of the run", state.error);
    }
}

/// Simulated threads make the calls whose awaits were broken off, as real ones do.
void shut_down::make_calls() noexcept {
    while (!loop_.threads.calls.empty() && !loop_.attention.is_stopped())
        make_next_call(loop_);
}

bool shut_down::join_pool() noexcept {
    if (!joining_) {
        if (!loop_.threads.pool || !may_wait())
            return true;
        loop_.threads.pool->request_stop();
        if (loop_.backend->simulated()) {
            // Virtual time would jump over the bound while a real thread is at work.
            loop_.threads.pool->wait_for_end(pool_grace_);
            loop_.threads.pool.reset();
            return true;
        }
        const time_point current = loop_.now();
        loop_.arm_spare(pool_bound_, saturating_add(current, pool_grace_), current);
        joining_ = true;
    }
    if (!loop_.threads.pool->has_ended() && pool_bound_.is_armed() && may_wait())
        return false;
    if (pool_bound_.is_armed())
        loop_.disarm(pool_bound_);
    if (on_pool_bound_.is_linked())   // stopped before its turn came: stage `calls` may arm the bound again
        on_pool_bound_.unlink();
    if (may_wait())
        loop_.threads.pool.reset();
    joining_ = false;
    return true;
}

bool shut_down::run_posts() noexcept {
    // Once: a thread that posts until it is refused must not keep the loop open.
    ran_posts_ = !ran_posts_ && !loop_.attention.is_stopped() && (loop_.own_posts_ || loop_.inbox->is_filled());
    return !ran_posts_;
}

/// False if a post had come in before, which then is to run: it may start a task.
bool shut_down::refuse_posts() noexcept { return !loop_.inbox->refuse_posts() && !loop_.own_posts_; }

/// The grace is over. What tasks have lent, to the kernel and to the pool, comes back first; the loop turns meanwhile, and resumes none.
void shut_down::begin_to_give_up() noexcept {
    is_giving_up_ = true;
    if (loop_.registry.count == 0)
        return;
    for_each_in_order([](task_state& t) {
        t.report("a task did not stop within the shutdown grace",
                 error_about(t, is_lent(t) ? "; its frames are destroyed when the call on a pool thread has ended"
                                           : "; its frames are destroyed"));
    });
    loop_.closed = true;
    (void)loop_.inbox->refuse_posts();
    for_each_in_order([](task_state& t) {
        task_state* next = nullptr;
        if (t.waiting_on)
            t.waiting_on->interrupt(next);
    });
}

/// A ready queue that nothing empties would keep the loop from waiting.
void shut_down::hold_entries() noexcept { held_.splice_back(loop_.ready); }

void shut_down::give_up() noexcept {
    loop_.ready.splice_back(held_);
    if (loop_.registry.count == 0)
        return;
    drop_calls(loop_);
    loop_.inbox->take(loop_.ready);
    loop_.destroying = true;
    destroy_frames();
    while (!loop_.registry.generators.empty())
        loop_.registry.generators.pop_front();   // generator objects destroy them
    loop_.destroying = false;
}

void shut_down::destroy_frames() noexcept {
    // The last made first: a group's children before the frame that holds the group.
    try {
        for (const task_ref& t : std::views::reverse(loop_.all_tasks()))
            destroy_frames_of(t.state());
    } catch (const std::bad_alloc&) {
        task_batch batch;
        for (batch.take_last(loop_); !batch.empty(); batch.take_last(loop_))
            for (const task_ref& t : batch)
                destroy_frames_of(t.state());
    }
}

void shut_down::destroy_frames_of(task_state& state) noexcept {
    const task_ref kept(state);
    if (is_lent(state)) {
        // A pool thread still uses what this frame holds: a leak is the lesser evil.
        state.link<registry_tag>::unlink();
        --loop_.registry.count;
        state.report("a call on a pool thread did not end; the frames that wait for it are left behind", error_about(state, ""));
        return;
    }
    state.destroy_frames();
    state.finish(loop_);
}

/// In creation order.
template <class F>
void shut_down::for_each_in_order(F f) noexcept {
    try {
        for (const task_ref& t : loop_.all_tasks())
            f(t.state());
    } catch (const std::bad_alloc&) {
        for_each_in_batches(f);
    }
}

template <class F>
void shut_down::for_each_in_batches(F f) noexcept {
    task_batch batch;
    for (batch.take_after(loop_, 0); !batch.empty(); batch.take_after(loop_, batch.back().id()))
        for (const task_ref& t : batch)
            f(t.state());
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
