// task_handle.hpp - handles of spawned tasks: joining, cancelling, asking.
#pragma once

#include <corun/callback_handle.hpp>
#include <corun/cancel_reason.hpp>
#include <corun/detail/callback.hpp>
#include <corun/detail/debug.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/value_slot.hpp>

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// A spawned task's state together with its value.
template <class T>
struct task_block : task_state {
    using task_state::task_state;
    ~task_block() {
        if (outcome == ending::value)
            slot.destroy();
    }
    [[no_unique_address]] value_slot<T> slot;
};

/// Throws usage_error if the task is done and its loop has gone.
void check_may_watch(const task_state&);

/// Registers a callback among the watchers, or makes it ready if the task is done.
void add_done_callback(task_state&, callback&) noexcept;

/// Throws unless the task ended with a value.
void check_finished(task_state&);

/// Throws what a finished task ended with, if it was not a value: `cancelled` if one's own request did it, else `task_cancelled`.
void throw_end(task_state&, bool own_request);

/// The common part of awaiting a task's end with the awaiter's own node among its watchers (4.4, 4.5).
class join_waiter : public waiter {
public:
    explicit join_waiter(task_state& target) noexcept : target_(&target) { target.add_reference(); }
    interruption interrupt(task_state*& next) noexcept override;
    std::string_view what() const noexcept override { return "task"; }

    task_state* joined() const noexcept override { return target_; }

    task_state& target() const noexcept { return *target_; }

protected:
    ~join_waiter() { target_->release(); }

    bool ready() {
        loop_core& core = this_core();
        if (target_->is_done())
            return core.may_go_on();
        check_target(core);
        return false;
    }
    void suspend(task_state& t) noexcept;

    /// Throws `cancelled`, `task_cancelled` or the target's error, if it is one of these that the joiner gets.
    void check_end() {
        // A request after the target's end: one's own; the outcome stays in the handle (4.5).
        if (take_request()) [[unlikely]]
            throw cancelled{};
        if (target_->outcome != ending::value) [[unlikely]]
            throw_end(*target_, wait_state_ == wait_state::asked);
    }

private:
    /// Throws usage_error if this task can't wait for it.
    void check_target(const loop_core&) const;

    task_state* target_;
};

template <class T, bool Move>
class join_awaiter final : public join_waiter {
public:
    using join_waiter::join_waiter;

    bool await_ready() { return ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        suspend(suspending_task(h, where));
    }
    decltype(auto) await_resume() {
        check_end();
        if constexpr (!std::is_void_v<T>) {
            auto& slot = static_cast<task_block<T>&>(target()).slot;
            if constexpr (Move)
                return slot.take();
            else
                return slot.get();
        }
    }
};

}

/// A spawned task, whatever its value's type: a counted reference. Belongs to the loop's thread.
class task_ref {
public:
    task_ref() noexcept = default;
    task_ref(const task_ref& other) noexcept : state_(other.state_) {
        if (state_)
            state_->add_reference();
    }
    task_ref(task_ref&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    task_ref& operator=(task_ref other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~task_ref() {
        if (state_)
            state_->release();
    }

    /// False for a handle that was moved from or never set.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Asks the task to end (Task.cancel): false if it is done. Delivered as `cancelled` at its await, or its next one (5.1). `where` is
    /// for why_cancelled().
    bool cancel(std::source_location where = std::source_location::current()) const {
        if (detail::may_be_debugging())
            detail::check_task_thread(state());
        return state().cancel({cancel_origin::explicit_call, where});
    }

    /// Takes one request back; answers how many are left (Task.uncancel).
    std::uint32_t uncancel() const { return state().uncancel(); }

    /// How many requests there have been that were not taken back (Task.cancelling).
    std::uint32_t cancelling() const { return state().cancel_requests; }

    /// Who made the last request, and where; stays after an uncancel() until cancelling() is 0, then cancel_origin::none. Also once ended.
    cancel_reason why_cancelled() const { return state().why_cancelled(); }

    /// True once the task has ended, however (Task.done).
    bool is_done() const { return state().is_done(); }

    /// True if the task ended with `cancelled`.
    bool is_cancelled() const { return state().outcome == detail::ending::cancelled; }

    /// The exception the task ended with, or null; looking at it counts as handling it.
    std::exception_ptr error() const {
        state().observed = true;
        return state().error;
    }

    /// Unique in its loop, in creation order, from 1.
    std::uint64_t id() const { return state().id; }

    /// The task's name; "task-<id>" unless one was given.
    std::string name() const;
    /// Another name, for dumps and reports (Task.set_name).
    void set_name(std::string name) const { state().make_extras().name = std::move(name); }

    /// Runs `f()` or `f(task_ref)` one turn after the task's end, after earlier ones (Task.add_done_callback). An `f` without parameters is
    /// moved from only if there was memory. usage_error once the loop has closed: errc::foreign_loop where another one runs, else
    /// errc::closed_loop.
    template <class F>
    callback_handle on_done(F&& f) const {
        detail::check_may_watch(state());
        detail::callback* c = nullptr;
        detail::check_callback<std::decay_t<F>, task_ref>();
        if constexpr (std::is_invocable_v<std::decay_t<F>&, task_ref>)
            c = &detail::make_callback([self = *this, f = std::decay_t<F>(std::forward<F>(f))]() mutable { f(std::move(self)); });
        else
            c = &detail::make_callback(std::forward<F>(f));
        callback_handle h(*c);
        detail::add_done_callback(state(), *c);
        return h;
    }

    /// True if both name the same task.
    bool operator==(const task_ref& other) const noexcept { return state_ == other.state_; }

    /// For corun's own pieces.
    detail::task_state& state() const {
        if (!state_)
            detail::throw_usage(errc::empty_handle, "this task handle is empty: it was moved from or never given a task");
        return *state_;
    }
    explicit task_ref(detail::task_state& s) noexcept : state_(&s) { s.add_reference(); }

private:
    detail::task_state* state_ = nullptr;
};

/// A spawned task with a value (asyncio.Task). Dropping it loses nothing: the loop owns running tasks (4.2).
template <class T = void>
class task_handle : public task_ref {
public:
    using value_type = T;

    task_handle() noexcept = default;
    explicit task_handle(detail::task_block<T>& b) noexcept : task_ref(b) {}

    /// Waits for the end and gives T& (valid while a handle lives), or throws the task's error; `task_cancelled` if others
    /// cancelled it. A request to the awaiter goes to the task (4.4).
    detail::join_awaiter<T, false> operator co_await() const& { return detail::join_awaiter<T, false>(state()); }

    /// The same, and moves the T out.
    detail::join_awaiter<T, true> operator co_await() && { return detail::join_awaiter<T, true>(state()); }

    /// The value of a finished task, or throws as the await does; usage_error(errc::not_done) if it is not done.
    std::add_lvalue_reference_t<T> get() const {
        detail::check_finished(state());
        if constexpr (!std::is_void_v<T>)
            return static_cast<detail::task_block<T>&>(state()).slot.get();
    }

    /// The same, and moves the T out.
    T take() && {
        detail::check_finished(state());
        if constexpr (!std::is_void_v<T>)
            return static_cast<detail::task_block<T>&>(state()).slot.take();
    }
};

namespace detail {

template <class T>
inline constexpr bool is_task_handle = false;
template <class T>
inline constexpr bool is_task_handle<task_handle<T>> = true;

}

}
