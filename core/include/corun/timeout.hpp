// timeout.hpp - a bound on an await, and a scope whose bound can be moved.
#pragma once

#include <corun/cancel_reason.hpp>
#include <corun/clock.hpp>
#include <corun/detail/awaitable.hpp>
#include <corun/detail/call.hpp>
#include <corun/detail/entry.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/request.hpp>
#include <corun/detail/timer_heap.hpp>
#include <corun/errors.hpp>

#include <chrono>
#include <cstdint>
#include <source_location>
#include <utility>

namespace corun {

class timeout_scope;

namespace detail {
template <class A, class Scope>
class scoped_awaiter;

template <class A>
using scoped_request = request<scoped_awaiter<A, timeout_scope&>, timeout_scope&, A, std::source_location>;
}

/// A deadline around an await that can be moved while it runs (asyncio.Timeout). `timeout_scope s(1s); co_await s.run(body());`
/// Expiry cancels the body; exactly that cancel leaves as `timed_out` (6.2). Used once, by the task that awaits run().
class [[nodiscard("it bounds what its run() runs, and nothing else: give it a name")]] timeout_scope : detail::entry {
public:
    /// Without a deadline, until reschedule().
    timeout_scope() noexcept : entry(&on_due), timer_(*this) {}

    /// Expires when `d` has passed since run() was awaited; not positive: at the body's first suspension.
    template <class Rep, class Period>
    explicit timeout_scope(std::chrono::duration<Rep, Period> d) noexcept(!std::chrono::treat_as_floating_point_v<Rep>)
        : timeout_scope(after_tag(), saturating_nanoseconds(d)) {}

    /// Expires at the deadline; a past one: at the body's first suspension.
    explicit timeout_scope(time_point deadline) noexcept : entry(&on_due), deadline_(deadline), timer_(*this) {}

    timeout_scope(const timeout_scope&) = delete;
    timeout_scope& operator=(const timeout_scope&) = delete;
    ~timeout_scope() { disarm(); }

    /// Runs an awaitable, or a callable that gives a task, under this scope and gives its value; throws `timed_out` if the scope expired
    /// and what left is the scope's own cancel. `where` is for why_cancelled().
    template <detail::awaitable_or_call A>
    [[nodiscard("nothing happens until it is awaited")]] detail::scoped_request<detail::awaited<A>>
    run(A&& awaitable, std::source_location where = std::source_location::current()) {
        return detail::scoped_request<detail::awaited<A>>(*this, std::forward<A>(awaitable), where);
    }

    /// Moves the deadline, `no_deadline` takes it away. Throws usage_error(errc::already_set) once expired or left (Timeout.reschedule).
    void reschedule(time_point deadline);

    /// The same, counted from now.
    template <class Rep, class Period>
    void reschedule_after(std::chrono::duration<Rep, Period> d) {
        reschedule(saturating_add(clock::now(), saturating_nanoseconds(d)));
    }

    /// The deadline; `no_deadline` if there is none, as before run() of a scope that was given a length of time.
    time_point deadline() const noexcept { return relative_ && state_ == state::created ? no_deadline : deadline_; }

    /// True once the deadline has come inside the scope, whatever became of it (Timeout.expired).
    bool is_expired() const noexcept { return state_ == state::expiring || state_ == state::expired; }

    /// For run(): the scope begins in this task.
    void enter(detail::task_state& t);

    /// For run(): where it was called. A scope that is used again keeps its place: it refuses.
    void called_at(const std::source_location& where) noexcept {
        if (state_ == state::created)
            where_ = where;
    }

    /// For run(): the scope ends; true if `cancelled`, which is what leaves, was this scope's own.
    bool leave(bool left_cancelled) noexcept;

private:
    struct after_tag {};
    enum class state : std::uint8_t { created, entered, expiring, expired, exited };

    timeout_scope(after_tag, duration d) noexcept : entry(&on_due), relative_(true), deadline_(time_point(d)), timer_(*this) {}

    cancel_reason reason() const noexcept { return {cancel_origin::timeout, where_}; }
    static void on_due(detail::entry& e, loop*) noexcept;
    void arm(time_point current);
    void disarm() noexcept;

    bool relative_ = false;
    bool request_was_first_ = false;   // pending at the entry, when the deadline had passed: it wins (6.2)
    state state_ = state::created;
    std::uint32_t requests_at_entry_ = 0;
    detail::task_state* task_ = nullptr;
    time_point deadline_ = no_deadline;
    std::source_location where_;
    union {
        detail::timer_node timer_;       // until it has expired;
        cancel_reason request_before_;   // then what the scope's own request took the place of
    };
};

namespace detail {

/// Awaits `A` in this frame, inside a scope of its own (`Scope` = timeout_scope) or one of the caller's (timeout_scope&).
template <class A, class Scope>
class scoped_awaiter {
    using inner = awaiter_of<A>;

public:
    template <class S>
    scoped_awaiter(S&& scope, A&& awaitable, const std::source_location& where)
        : scope_(std::forward<S>(scope)), inner_(get_awaiter(std::forward<A>(awaitable))) {
        scope_.called_at(where);
    }
    scoped_awaiter(const scoped_awaiter&) = delete;

    bool await_ready() {
        scope_.enter(this_task_state());
        leaver scope(scope_);
        const bool is_ready = inner_.await_ready();
        scope.stay();
        return is_ready;
    }
    template <class Promise>
    decltype(auto) await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        try {
            return suspend_inner(inner_, h, where);
        } catch (...) {
            scope_.leave(false);   // the wait has not begun
            throw;
        }
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
    struct leaver {
        explicit leaver(timeout_scope& s) noexcept : scope(&s) {}
        leaver(const leaver&) = delete;
        ~leaver() {
            if (scope)
                scope->leave(false);
        }
        bool expired() noexcept { return std::exchange(scope, nullptr)->leave(true); }
        void stay() noexcept { scope = nullptr; }
        timeout_scope* scope;
    };

    Scope scope_;
    inner inner_;
};

/// Keeps the place of its call, which is not that of the await: what is given to gather() is awaited in a header of corun's.
template <class A, class When>
using timeout_request = request<scoped_awaiter<A, timeout_scope>, When, A, std::source_location>;

}

/// `co_await timeout(1s, awaitable)`: gives its value, or cancels it when `d` has passed, waits for its end and throws
/// `timed_out` (asyncio.timeout). A body that swallows the cancel gives its value; an outside request wins. Takes a callable that gives a
/// task, too: it is kept, and called when it is awaited. `where` is for why_cancelled().
template <class Rep, class Period, detail::awaitable_or_call A>
detail::timeout_request<detail::awaited<A>, duration> timeout(std::chrono::duration<Rep, Period> d, A&& awaitable,
                                                              std::source_location where = std::source_location::current()) {
    return {saturating_nanoseconds(d), std::forward<A>(awaitable), where};
}

/// The same with a deadline (asyncio.timeout_at).
template <detail::awaitable_or_call A>
detail::timeout_request<detail::awaited<A>, time_point> timeout_at(time_point deadline, A&& awaitable,
                                                                   std::source_location where = std::source_location::current()) {
    return {deadline, std::forward<A>(awaitable), where};
}

/// timeout() in asyncio's order: `co_await wait_for(awaitable, 1s)` (asyncio.wait_for).
template <detail::awaitable_or_call A, class Rep, class Period>
detail::timeout_request<detail::awaited<A>, duration> wait_for(A&& awaitable, std::chrono::duration<Rep, Period> d,
                                                               std::source_location where = std::source_location::current()) {
    return timeout(d, std::forward<A>(awaitable), where);
}

}
