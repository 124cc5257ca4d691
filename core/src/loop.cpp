// loop.cpp - one turn: wait, take what finished, posts, due timers, then exactly what was ready (3.1).
#include <corun/detail/debug.hpp>
#include <corun/detail/pool_job.hpp>
#include <corun/inspect.hpp>
#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include "run_course.hpp"
#include "thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace corun {
namespace {

thread_local loop* current_loop = nullptr;

/// What was to run when the loop was stopped between two resumptions is ready again, before what is.
void put_back(detail::entry_list& batch, detail::entry_list& ready) noexcept {
    if (batch.empty())
        return;
    batch.splice_back(ready);
    ready.splice_back(batch);
}

std::uint64_t next_loop_id() noexcept {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

}

namespace detail {

#if defined(__GNUC__)
__attribute__((noinline))
#endif
loop_core*
try_core() noexcept {
    return current_loop;
}

loop_core& this_core() {
    loop_core* const core = try_core();
    if (!core)
        throw_usage(errc::not_started, "no corun loop runs on this thread; await inside a task that corun::run() or corun::spawn() runs");
    if (core->forked)
        throw_forked();
    return *core;
}

task_state& this_task_state() {
    loop_core& core = this_core();
    if (!core.current_task)
        throw_usage(errc::not_started, "no task runs here: this is a callback, or outside the loop's steps");
    return *core.current_task;
}

loop_core& core_of(loop& l) noexcept { return l; }

void loop_core::wake_host() noexcept {
    host_sleeps = false;
    box->end_sleep();
}

void throw_forked() {
    throw_usage(
        errc::closed_loop,
        "this process is a forked child, and the corun loop is its parent's; call corun::run() anew, or exec or _exit right after fork()");
}

void set_next_in_place(std::coroutine_handle<> next) noexcept { try_core()->next_in_place = next; }

}

void note_fork() noexcept {
    detail::inbox::forget_parents();
    detail::debug_in_use = true;   // handles are looked at from now on
    if (current_loop) {
        current_loop->forked = true;
        current_loop->closed = true;
        current_loop->stop_ = true;
        current_loop->id = 0;   // no object belongs to it
    }
}

loop::loop(std::unique_ptr<corun::backend> engine_made) : backend_(std::move(engine_made)) {
    engine = backend_.get();
    id = next_loop_id();
    timers.make_room();
    box = new detail::inbox(*engine, *this);
    interrupts_.to_wake = engine;
    last_wait_ = began_ = now();
    thread = std::this_thread::get_id();
}

loop::~loop() {
    // Whoever still holds a name of this loop finds it closed; handles that are still open go with the backend.
    box->forget_core();
    box->release();
}

loop* loop::try_current() noexcept { return current_loop && current_loop->forked ? nullptr : current_loop; }

loop& loop::current() {
    loop* const l = try_current();
    if (!l && current_loop)
        detail::throw_forked();
    if (!l)
        detail::throw_usage(errc::not_started, "no corun loop runs on this thread; corun::run() makes one, and no other way does");
    return *l;
}

loop* loop::exchange_current(loop* l) noexcept { return std::exchange(current_loop, l); }

void loop::check_open() const {
    if (box->is_of_parent())
        detail::throw_forked();
    if (closed)
        detail::throw_usage(errc::closed_loop, "this corun loop has been closed; nothing can be started on it any more");
    if (debug)
        detail::check_thread(*this);
}

std::string_view loop::backend_name() const noexcept { return engine->name(); }

loop_counters loop::counters() const noexcept {
    loop_counters c;
    c.turns = turns;
    c.blocking_waits = blocking_waits;
    c.resumptions = resumptions;
    c.live_frames = corun::live_frames();
    c.tasks = tasks;
    c.pending_operations = pending_operations;
    c.armed_timers = timers.size();
    c.open_handles = open_handles;
    return c;
}

void loop::turn(time_point bound) noexcept {
    if (!may_skip_wait())
        wait_for_news(bound);
    begin_batch();
    // A list of its own, and no allowance to look at: this is the way of run(), whose turns are short.
    detail::entry_list batch;
    batch.splice_back(ready);
    if (shuffling_)
        shuffle(batch);
    for (;;) {
        if (interrupts_came())
            look_at_interrupts();
        if (stop_ || batch.empty())
            break;
        detail::entry& e = batch.pop_front();
        e.run(e, this);
    }
    put_back(batch, ready);
}

// Here, where the compiler sees what a turn is.
void detail::run_course::turn() noexcept {
    do
        loop_.turn(no_deadline);
    while (main_is_under_way_ && !main_->is_done() && !loop_.stop_);
}

bool loop::may_skip_wait() noexcept {
    if (ready.empty() || look_at_clock || skipped_ >= skip_limit_ || resumptions - resumptions_at_wait_ >= most_resumptions)
        return false;
    // The limit is what the last turns were like; these may take longer.
    return ++skipped_ % turns_between_looks != 0 || now() - last_wait_ <= longest_skip;
}

waited loop::wait_for_news(time_point bound) noexcept {
    const bool busy = !ready.empty() || interrupts_came();
    const bool may_block = !busy && !look_at_clock && bound != time_point::min() && box->prepare_sleep();
    time_point deadline = time_point::min();
    if (may_block) {
        deadline = timers.empty() ? bound : std::min(bound, timers.earliest());
        ++blocking_waits;
    }

    if (may_block && !calls.empty()) {
        // A simulated thread: its call takes no time, so it comes before the clock moves.
        deadline = time_point::min();
        detail::make_next_call(*this);
    }

    operation_list finished;
    const waited answer = engine->wait(deadline, finished);
    if (answer == waited::never && deadline == no_deadline)
        nothing_can_come();
    if (may_block)
        box->awake();
    take_finished(finished);

    const time_point current = now();
    // Work that takes long between two waits must not keep the kernel waiting for 60 turns of it.
    if (busy)
        skip_limit_ = current - last_wait_ > longest_skip ? skip_limit_ / 2 : std::min(2 * skip_limit_ + 1, most_skips);
    last_wait_ = current;
    stamp.milliseconds = static_cast<std::uint32_t>((current - began_) / std::chrono::milliseconds(1));
    skipped_ = 0;
    resumptions_at_wait_ = resumptions;
    if (!timers.empty())
        take_due_timers();
    look_at_clock = false;
    return answer;
}

void loop::nothing_can_come() noexcept {
    if (real_threads) {
        engine->block(no_deadline);   // until a post
    } else if (!box->is_filled()) {
        try {
            deadlock_ = "corun: deadlock: no task can go on and nothing is to come\n" + dump_tasks(*this);
        } catch (...) {
            deadlock_ = "deadlock";   // short enough to need no memory
        }
        stop_ = true;
    }
}

void loop::take_finished(operation_list& finished) noexcept {
    while (operation* const o = finished.pop_front()) {
        --pending_operations;
        schedule(*o->waiting_task());
    }
}

void loop::take_due_timers() noexcept {
    // Behind the posts, by (deadline, creation number).
    box->take(ready);
    while (!timers.empty() && timers.earliest() <= last_wait_) {
        detail::timer_node& node = timers.first();
        timers.remove(node);
        schedule(*node.due);
    }
}

/// A turn runs exactly what is ready now: the caller moves it out of the queue.
void loop::begin_batch() noexcept {
    stamp.turn = static_cast<std::uint32_t>(++turns);
    turn_inline_left = inline_per_turn;
    box->take(ready);
    own_posts_ = false;
}

/// True if the batch came to its end; false if the allowance did before.
bool loop::run_batch(allowance& left) noexcept {
    for (;;) {
        if (interrupts_came())
            look_at_interrupts();
        if (stop_ || batch_.empty())
            break;
        if (left.entries == 0 || (left.until != no_deadline && left.entries % entries_between_looks == 0 && left.until <= now()))
            return false;
        --left.entries;
        detail::entry& e = batch_.pop_front();
        e.run(e, this);
    }
    put_back(batch_, ready);
    return true;
}

/// Tasks change places with each other; what is bookkeeping keeps its own.
void loop::shuffle(detail::entry_list& batch) noexcept {
    detail::entry_list steps;
    detail::entry_list places;
    std::uint32_t count = 0;
    while (!batch.empty()) {
        detail::entry& e = batch.pop_front();
        const bool is_step = e.run == &detail::task_state::step;
        (is_step ? steps : places).push_back(e);
        count += is_step;
    }
    // Bookkeeping first, as it decides what the tasks of this turn find.
    batch.splice_back(places);
    for (; count > 0; --count) {
        for (std::uint32_t skip = shuffling_->choose(count); skip > 0; --skip)
            steps.push_back(steps.pop_front());
        batch.push_back(steps.pop_front());
    }
}

std::vector<task_ref> loop::all_tasks() {
    std::vector<task_ref> all;
    all.reserve(tasks);
    for_each_task([&all](detail::task_state& t) { all.push_back(task_ref(t)); });
    std::sort(all.begin(), all.end(), [](const task_ref& a, const task_ref& b) { return a.id() < b.id(); });
    return all;
}

}
