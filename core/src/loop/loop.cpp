// loop.cpp - one turn: wait, take what finished, posts, due timers, then exactly what was ready (3.1).
#include <corun/detail/debug.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/pool_calls.hpp>
#include <corun/detail/report.hpp>
#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include "inspect/task_tree.hpp"
#include "task/step.hpp"
#include "threads/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace corun {
namespace {

std::uint64_t next_loop_id() noexcept {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

}

loop::loop(std::unique_ptr<corun::backend> made) : backend_(std::move(made)), interrupts_(*backend_) {
    backend = backend_.get();
    id = next_loop_id();
    timers.make_room();
    inbox = new detail::inbox(*backend, *this);
    began_ = now();
    pacing.begin(began_);
    thread = std::this_thread::get_id();
    detail::enter_existing_loops(*this);
}

loop::~loop() {
    detail::leave_existing_loops(*this);
    // A loop_ref that is left finds it closed; handles that are still open go with the backend.
    inbox->forget_core();
    inbox->wait_for_callers();
    inbox->release();
    // A thread that outlasts the loop is in the backend's perform(), and its descriptor must not become another's: a leak is the lesser
    // evil.
    if (figures.operations_on_pool > 0)
        (void)backend_.release();
    threads.pool.reset();   // before the backend goes, whose perform() its threads may be in
}

loop* loop::try_current() noexcept {
    detail::loop_core* const here = detail::try_core();
    return here && !here->forked ? static_cast<loop*>(here) : nullptr;
}

loop& loop::current() {
    loop* const l = try_current();
    if (!l && detail::try_core())
        detail::throw_forked();
    if (!l && detail::guest_core())
        detail::throw_usage(errc::no_running_loop,
                            "no corun loop runs in the code of a guest's host; its loop is guest::here()->get_loop()");
    if (!l)
        detail::throw_usage(errc::no_running_loop, "no corun loop runs on this thread; corun::run() makes one, and no other way does");
    return *l;
}

void loop::check_open() const {
    if (inbox->is_of_parent())
        detail::throw_forked();
    if (closed)
        detail::throw_usage(errc::closed_loop, "this corun loop has been closed; nothing can be started on it any more");
    if (debug)
        detail::check_thread(*this);
}

std::string_view loop::backend_name() const noexcept { return backend->name(); }

loop_counters loop::counters() const noexcept {
    loop_counters c;
    c.turns = figures.turns;
    c.blocking_waits = figures.blocking_waits;
    c.resumptions = figures.resumptions;
    c.live_frames = detail::live_frames();
    c.tasks = registry.count;
    c.pending_operations = figures.pending_operations;
    c.armed_timers = timers.size();
    c.open_handles = figures.open_handles;
    return c;
}

inline void loop::run_step(detail::task_state& t) noexcept {
    if (debug) [[unlikely]]
        detail::run_watched_step(t, *this);
    else
        detail::run_step(t, *this);
}

/// Runs what stands before the end of the turn, as long as `may_run()`; false where that ended it.
template <class MayRun>
inline bool loop::run_turn(MayRun may_run) noexcept {
    for (;;) {
        if (attention.is_wanted(interrupts_.arrivals()) && look_up()) [[unlikely]]
            return true;
        if (!may_run(ready.front()))
            return false;
        detail::entry& e = ready.pop_front();
        if (e.run == &detail::task_state::step)
            run_step(static_cast<detail::task_state&>(e));
        else if (&e == &turn_end_)
            return true;
        else if (e.run != &detail::task_state::first_step)
            e.run(e, this);
        else if (auto& t = static_cast<detail::task_state&>(e); t.begin(*this))
            run_step(t);
    }
}

/// Out of the way of a turn. True if the loop is to stop, between two resumptions: what was to run is ready, before what came since.
bool loop::look_up() noexcept {
    if (has_interrupts())
        interrupts_.look(*this);
    if (!attention.is_stopped())
        return false;
    if (is_in_turn())
        turn_end_.unlink();
    return true;
}

bool loop::turn(time_point bound) noexcept {
    if (!may_skip_wait())
        wait_for_news(bound);
    begin_turn();
    run_turn([](const detail::entry&) { return true; });
    return attention.is_stopped();
}

void loop::turn_until_done(const detail::task_state& t) noexcept {
    while (!turn(no_deadline) && !t.is_done()) {
    }
}

bool loop::may_skip_wait() noexcept { return !ready.empty() && pacing.may_skip(figures.resumptions, *backend); }

waited loop::wait_for_news(time_point bound) noexcept {
    const bool is_busy = !ready.empty() || has_interrupts();
    const bool may_block = !is_busy && !pacing.looks_at_clock() && bound != time_point::min() && inbox->prepare_sleep();
    const time_point deadline = may_block ? end_of_block(bound) : time_point::min();

    operation_list finished;
    const waited answer = backend->wait(deadline, finished);
    if (answer == waited::never && deadline == no_deadline)
        nothing_can_come();
    if (may_block)
        inbox->awake();
    take_finished(finished);

    note_wait(is_busy);
    if (!timers.empty())
        take_due_timers();
    return answer;
}

/// Until when a wait may block that may.
time_point loop::end_of_block(time_point bound) noexcept {
    ++figures.blocking_waits;
    if (!threads.calls.empty()) {
        // A simulated thread: its call takes no time, so it comes before the clock moves.
        detail::make_next_call(*this);
        return time_point::min();
    }
    return timers.empty() ? bound : std::min(bound, timers.earliest());
}

/// Reads the clock after a wait.
void loop::note_wait(bool was_busy) noexcept {
    const time_point current = now();
    pacing.note_wait(was_busy, figures.resumptions, current);
    stamp.milliseconds = static_cast<std::uint32_t>((current - began_) / std::chrono::milliseconds(1));
}

void loop::nothing_can_come() noexcept {
    if (real_threads) {
        backend->block(no_deadline);   // until a post
    } else if (!inbox->is_filled()) {
        try {
            deadlock_ = "corun: deadlock: no task can go on and nothing is to come\n" + detail::dump_of(*this);
        } catch (...) {
            deadlock_ = "deadlock";   // short enough to need no memory
        }
        attention.stop();
    }
}

void loop::take_finished(operation_list& finished) noexcept {
    while (operation* const o = finished.pop_front()) {
        --figures.pending_operations;
        schedule(*o->to_schedule);
    }
}

void loop::take_due_timers() noexcept {
    // Behind the posts, by (deadline, creation number).
    inbox->take(ready);
    while (!timers.empty() && timers.earliest() <= pacing.last_wait()) {
        detail::timer_node& node = timers.first();
        timers.remove(node);
        schedule(*node.due);
    }
}

/// A turn runs exactly what is ready now: its end stands behind that.
void loop::begin_turn() noexcept {
    stamp.turn = static_cast<std::uint32_t>(++figures.turns);
    inline_left.turn = detail::inline_budget::most_per_turn;
    inbox->take(ready);
    own_posts_ = false;
    if (shuffling_) [[unlikely]]
        shuffle();
    ready.push_back(turn_end_);
}

/// What is left of a guest's turn; false if the allowance came to its end first.
bool loop::run_turn(allowance& left) noexcept {
    return run_turn([&left, this](const detail::entry& next) {
        if (&next == &turn_end_)
            return true;
        if (left.entries == 0 || (left.until != no_deadline && left.entries % entries_between_looks == 0 && left.until <= now()))
            return false;
        --left.entries;
        return true;
    });
}

/// Tasks change places with each other; what is bookkeeping keeps its own.
void loop::shuffle() noexcept {
    detail::entry_list steps;
    detail::entry_list places;
    std::uint32_t count = 0;
    while (!ready.empty()) {
        detail::entry& e = ready.pop_front();
        const bool is_step = e.run == &detail::task_state::step || e.run == &detail::task_state::first_step;
        (is_step ? steps : places).push_back(e);
        count += is_step;
    }
    // Bookkeeping first, as it decides what the tasks of this turn find.
    ready.splice_back(places);
    for (; count > 0; --count) {
        for (std::uint32_t skip = shuffling_->choose(count); skip > 0; --skip)
            steps.push_back(steps.pop_front());
        ready.push_back(steps.pop_front());
    }
}

std::vector<task_ref> loop::all_tasks() {
    std::vector<task_ref> all;
    all.reserve(registry.count);
    for (detail::task_state* const t : detail::tasks_in_order(*this))
        all.emplace_back(*t);
    return all;
}

void loop::report(const exception_report& r) noexcept { detail::tell_hook(hook, r); }

}
