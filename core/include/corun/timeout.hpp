// timeout.hpp - a bound on an await, and a scope whose bound can be moved.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/awaitable.hpp>
#include <corun/detail/entry.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/timer_heap.hpp>
#include <corun/errors.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace corun {

namespace detail {
template <class A>
class scoped_request;
}

/// A deadline around an await that can be moved while it runs (asyncio.Timeout). `timeout_scope s(1s); co_await s.run(body());`
/// Expiry cancels the body; exactly that cancel leaves as `timed_out` (6.2). Used once, by the task that awaits run().
class timeout_scope {
public:
    /// Without a deadline, until reschedule().
    timeout_scope() noexcept : timer_(due_) {}

    /// Expires when `d` has passed since run() was awaited; not positive: at the body's first suspension.
    template <class Rep, class Period>
    explicit timeout_scope(std::chrono::duration<Rep, Period> d) noexcept(!std::chrono::treat_as_floating_point_v<Rep>)
        : timeout_scope(after_tag(), saturating_nanoseconds(d)) {}

    /// Expires at the deadline; a past one: at the body's first suspension.
    explicit timeout_scope(time_point deadline) noexcept : deadline_(deadline), timer_(due_) {}

    timeout_scope(const timeout_scope&) = delete;
    timeout_scope& operator=(const timeout_scope&) = delete;
    ~timeout_scope() { disarm(); }

    /// Runs an awaitable under this scope and gives its value; throws `timed_out` if the scope expired and what left is the
    /// scope's own cancel.
    template <detail::awaitable A>
    [[nodiscard]] detail::scoped_request<A> run(A&& awaitable) {
        return detail::scoped_request<A>(*this, std::forward<A>(awaitable));
    }

    /// Moves the deadline, `no_deadline` takes it away. Throws usage_error(errc::already_set) once expired or left (Timeout.reschedule).
    void reschedule(time_point deadline);

    /// The same, counted from now.
    template <class Rep, class Period>
    void reschedule_after(std::chrono::duration<Rep, Period> d) {
        reschedule(saturating_add(clock::now(), saturating_nanoseconds(d)));
    }

    /// The deadline; `no_deadline` if there is none.
    time_point deadline() const noexcept { return deadline_; }

    /// True once the deadline has come inside the scope, whatever became of it (Timeout.expired).
    bool is_expired() const noexcept { return state_ == state::expiring || state_ == state::expired; }

    /// For run(): the scope begins in this task.
    void enter(detail::task_state& t);

    /// For run(): the scope ends; true if `cancelled`, which is what leaves, was this scope's own.
    bool leave(bool left_cancelled) noexcept;

private:
    struct after_tag {};
    enum class state : std::uint8_t { created, entered, expiring, expired, exited };
    struct due_entry : detail::entry {
        explicit due_entry(timeout_scope& s) noexcept : entry(&on_due), scope(s) {}
        static void on_due(detail::entry& e, loop*) noexcept;
        timeout_scope& scope;
    };

    timeout_scope(after_tag, duration d) noexcept : relative_(true), deadline_(time_point(d)), timer_(due_) {}

    void arm(time_point current);
    void disarm() noexcept;

    bool relative_ = false;
    state state_ = state::created;
    std::uint32_t requests_at_entry_ = 0;
    detail::task_state* task_ = nullptr;
    time_point deadline_ = no_deadline;
    due_entry due_{*this};
    detail::timer_node timer_;
};

namespace detail {

/// Awaits `A` in this frame, inside a scope of its own (`Scope` = timeout_scope) or somebody's (timeout_scope&).
template <class A, class Scope>
class scoped_awaiter {
    using inner = awaiter_of<A>;

    struct leaver {
        explicit leaver(timeout_scope& s) noexcept : scope(&s) {}
        ~leaver() {
            if (scope)
                scope->leave(false);
        }
        bool expired() noexcept { return std::exchange(scope, nullptr)->leave(true); }
        timeout_scope* scope;
    };

public:
    template <class S>
    scoped_awaiter(S&& scope, A&& awaitable)
        : awaitable_(std::forward<A>(awaitable)), scope_(std::forward<S>(scope)), inner_(get_awaiter(std::forward<A>(awaitable_))) {}
    scoped_awaiter(const scoped_awaiter&) = delete;

    bool await_ready() {
        scope_.enter(this_task_state());
        return inner_.await_ready();
    }
    template <class Promise>
    decltype(auto) await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        return suspend_inner(inner_, h, where);
    }
    await_result<A> await_resume() {
        leaver scope(scope_);
        if constexpr (requires { inner_.left_cancelled(); }) {
            // A task's outcome is known without throwing it first.
            if (inner_.left_cancelled() && scope.expired())
                throw timed_out{};
            return inner_.await_resume();
        } else {
            try {
                return inner_.await_resume();
            } catch (const cancelled&) {
                if (scope.expired())
                    throw timed_out{};
                throw;
            }
        }
    }

private:
    A awaitable_;
    Scope scope_;
    inner inner_;
};

template <class A>
class [[nodiscard]] scoped_request {
public:
    scoped_request(timeout_scope& scope, A&& awaitable) : scope_(&scope), awaitable_(std::forward<A>(awaitable)) {}
    scoped_awaiter<A, timeout_scope&> operator co_await() && { return {*scope_, std::forward<A>(awaitable_)}; }

private:
    timeout_scope* scope_;
    A awaitable_;
};

template <class A, class When>
class [[nodiscard]] timeout_request {
public:
    timeout_request(When when, A&& awaitable) : when_(when), awaitable_(std::forward<A>(awaitable)) {}
    scoped_awaiter<A, timeout_scope> operator co_await() && { return {when_, std::forward<A>(awaitable_)}; }

private:
    When when_;
    A awaitable_;
};

}

/// `co_await timeout(1s, awaitable)`: gives its value, or cancels it when `d` has passed, waits for its end and throws
/// `timed_out` (asyncio.timeout). A body that swallows the cancel gives its value; an outside request wins.
template <class Rep, class Period, detail::awaitable A>
detail::timeout_request<A, duration> timeout(std::chrono::duration<Rep, Period> d, A&& awaitable) {
    return {saturating_nanoseconds(d), std::forward<A>(awaitable)};
}

/// The same with a deadline (asyncio.timeout_at).
template <detail::awaitable A>
detail::timeout_request<A, time_point> timeout_at(time_point deadline, A&& awaitable) {
    return {deadline, std::forward<A>(awaitable)};
}

}
