// loop.hpp - the event loop: callbacks, posts, counters. Tasks are started with spawn().
#pragma once

#include <corun/callback_handle.hpp>
#include <corun/clock.hpp>
#include <corun/detail/callback.hpp>
#include <corun/detail/inbox.hpp>
#include <corun/detail/interrupts.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/exception_report.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace corun {

class task_ref;

namespace detail {
class shut_down;
class run_course;
struct task_state;
loop_core& core_of(loop&) noexcept;
}

/// Figures about a loop, always kept (3.8).
struct loop_counters {
    std::uint64_t turns = 0;
    std::uint64_t blocking_waits = 0;   ///< calls of the backend that were allowed to block
    std::uint64_t resumptions = 0;
    std::size_t live_frames = 0;   ///< coroutine frames of this thread
    std::size_t tasks = 0;         ///< unfinished tasks
    std::size_t pending_operations = 0;
    std::size_t armed_timers = 0;
    std::size_t open_handles = 0;
};

/// A name for a loop that may be kept by other threads and outlive it.
class loop_ref {
public:
    explicit loop_ref(detail::inbox& i) noexcept : inbox_(&i) { inbox_->add_reference(); }
    loop_ref(const loop_ref& other) noexcept : loop_ref(*other.inbox_) {}
    loop_ref& operator=(const loop_ref& other) noexcept {
        other.inbox_->add_reference();
        inbox_->release();
        inbox_ = other.inbox_;
        return *this;
    }
    ~loop_ref() { inbox_->release(); }

    /// Runs `f()` on the loop's thread in one of its next turns. Any thread, at any time; false if the loop has closed:
    /// then `f` is destroyed and will not run (loop.call_soon_threadsafe).
    template <class F>
    bool post(F&& f) const {
        detail::callback& c = detail::make_callback(std::forward<F>(f));
        if (inbox_->post(c))
            return true;
        c.drop();
        c.release();
        return false;
    }

    /// True on the thread of the loop.
    bool is_of_this_thread() const noexcept { return inbox_->thread() == std::this_thread::get_id(); }

private:
    detail::inbox* inbox_;
};

/// An event loop: one thread, one backend. Made by run(), runner and guest only.
class loop : private detail::loop_core {
public:
    explicit loop(std::unique_ptr<corun::backend> made);
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop();

    /// The loop that runs on this thread (asyncio.get_running_loop); throws usage_error(errc::no_running_loop) outside a run.
    static loop& current();

    /// The same, or null.
    static loop* try_current() noexcept;

    /// Runs `f()` in the next turn, after what is ready already (asyncio's name). Loop's thread.
    template <class F>
    callback_handle call_soon(F&& f) {
        detail::callback& c = make_for_call(std::forward<F>(f));
        callback_handle h(c);
        schedule(c);
        return h;
    }

    /// Runs `f()` when the deadline has come. Loop's thread.
    template <class F>
    callback_handle call_at(time_point deadline, F&& f) {
        return call_at(deadline, now(), std::forward<F>(f));
    }

    /// Runs `f()` when `d` has passed; not positive: a timer due in the next turn (3.5). Loop's thread.
    template <class Rep, class Period, class F>
    callback_handle call_after(std::chrono::duration<Rep, Period> d, F&& f) {
        const time_point current = now();
        return call_at(saturating_add(current, saturating_nanoseconds(d)), current, std::forward<F>(f));
    }

    /// Runs `f()` on the loop's thread: from that thread as call_soon, from others through the inbox. False if the loop
    /// has closed (then `f` will not run). Another thread must know that the loop still exists, or use ref().
    template <class F>
    bool post(F&& f) {
        if (try_current() == this) {
            if (inbox->refuses_posts())
                return false;
            schedule(detail::make_callback(std::forward<F>(f)));
            own_posts_ = true;
            return true;
        }
        return ref().post(std::forward<F>(f));
    }

    /// A name for this loop to be kept by other threads.
    loop_ref ref() const noexcept { return loop_ref(*inbox); }

    /// The loop's clock.
    time_point time() const noexcept { return now(); }

    /// Figures of this loop since it began, and of what is open now.
    loop_counters counters() const noexcept;

    /// The name of the backend: "epoll".
    std::string_view backend_name() const noexcept;

    /// Sets who is told of exceptions that no caller will see; an empty one is the default, which prints to standard error.
    void set_exception_hook(exception_hook to_tell) { hook = std::move(to_tell); }
    template <detail::makes_task<const exception_report&> F>
    void set_exception_hook(F) {
        detail::check_callback<F, const exception_report&>();
    }

    /// Tells the hook. Never throws: a hook that throws falls back to the default one (3.6).
    void report(const exception_report& r) noexcept;

    /// Every unfinished task, in creation order (asyncio.all_tasks).
    std::vector<task_ref> all_tasks();

    /// True after shut down: nothing can be started any more.
    bool is_closed() const noexcept { return closed; }

private:
    friend class runner;
    friend class detail::shut_down;
    friend class detail::run_course;
    friend class guest;
    friend detail::loop_core& detail::core_of(loop&) noexcept;

    template <class F>
    detail::callback& make_for_call(F&& f) {
        check_open();
        return detail::make_callback(std::forward<F>(f));
    }
    template <class F>
    callback_handle call_at(time_point deadline, time_point current, F&& f) {
        detail::callback& c = make_for_call(std::forward<F>(f));
        callback_handle h(c);
        c.timers_of = this;
        try {
            arm(c.timer, deadline, current);
        } catch (...) {
            c.drop();
            c.release();
            throw;
        }
        return h;
    }
    void check_open() const;

    static loop* exchange_current(loop* l) noexcept { return static_cast<loop*>(detail::exchange_core(l)); }

    /// What a turn may run: so many entries of the ready queue, and none that would begin at `until` or later.
    struct allowance {
        std::uint64_t entries = UINT64_MAX;
        time_point until = no_deadline;
    };

    /// Waits at most until `bound`, where a wait is due, and runs what is ready. True if the loop is to stop: some of it may be left ready.
    bool turn(time_point bound) noexcept;

    /// Turns until the task has ended, or nothing of the loop is resumed any more; at least one.
    void turn_until_done(const detail::task_state&) noexcept;
    bool may_skip_wait() noexcept;
    bool has_interrupts() const noexcept { return interrupts_.arrivals() != attention.arrivals_seen(); }
    bool is_in_turn() const noexcept { return turn_end_.is_linked(); }
    waited wait_for_news(time_point bound) noexcept;
    time_point end_of_block(time_point bound) noexcept;
    void note_wait(bool was_busy) noexcept;
    void nothing_can_come() noexcept;
    void take_due_timers() noexcept;
    void begin_turn() noexcept;
    bool run_turn(allowance& left) noexcept;
    template <class MayRun>
    bool run_turn(MayRun may_run) noexcept;
    void run_step(detail::task_state&) noexcept;
    bool look_up() noexcept;
    void shuffle() noexcept;
    void take_finished(operation_list& finished) noexcept;

    std::unique_ptr<corun::backend> backend_;
    std::function<void(const std::vector<task_ref>&)> leftovers_hook_;
    simulation* shuffling_ = nullptr;   // draws the order of ready tasks
    detail::entry turn_end_;            // stands in the ready queue behind what this turn runs; in none between two turns
    bool own_posts_ = false;            // post() put something into the ready queue: shut down has to run it

    static constexpr int entries_between_looks = 16;   // at the clock, where an allowance has an end
    time_point began_{};

    detail::interrupts interrupts_;
    std::string deadlock_;   // what stood still when nothing more could come
};

namespace detail {

inline loop_core& core_of(loop& l) noexcept { return l; }

}

}
