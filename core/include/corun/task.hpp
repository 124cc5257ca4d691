// task.hpp - task<T>: a lazy coroutine with one owner, awaited once.
#pragma once

#include <corun/version.hpp>

#include <corun/detail/await_check.hpp>
#include <corun/detail/debug.hpp>
#include <corun/detail/is_task.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/value_slot.hpp>
#include <corun/errors.hpp>

#include <coroutine>
#include <utility>

namespace corun {

template <class T>
class outcome;

namespace detail {

template <class T>
struct task_promise;

template <class T>
struct task_promise_value : promise_base {
    using promise_base::promise_base;
    task_promise_value(const task_promise_value&) = delete;
    ~task_promise_value() {
        if (end == ending::value && out == &own)
            own.destroy();
    }
    template <class U = T>
        requires std::convertible_to<U&&, T>
    void return_value(U&& value) {
        out->emplace(std::forward<U>(value));
        end = ending::value;
    }
    /// A local variable's destructor may throw after the value has been given.
    void unhandled_exception() noexcept {
        if (end == ending::value)
            out->destroy();
        promise_base::unhandled_exception();
    }
    final_awaiter final_suspend() noexcept {
        if (end == ending::none) [[unlikely]]
            note_no_value(*this);
        return {};
    }
    value_slot<T>* out = &own;   // a spawned task's value goes straight to its state
    value_slot<T> own;
};

template <>
struct task_promise_value<void> : promise_base {
    using promise_base::promise_base;
    void return_void() noexcept { end = ending::value; }
};

template <class T>
struct task_promise : task_promise_value<T> {
    explicit task_promise(std::source_location made = std::source_location::current()) noexcept : task_promise_value<T>(made) {}

    task<T> get_return_object() noexcept;

    template <class A>
    decltype(auto) await_transform(A&& awaitable) const noexcept {
        return pass_awaited<task_promise>(std::forward<A>(awaitable));
    }

    /// Gives the value or throws what came instead.
    T take() {
        this->rethrow();
        if constexpr (!std::is_void_v<T>)
            return this->out->take();
    }
};

/// Awaits a task in place: it runs at once, in this step; no queue, no turn (3.3).
template <class T>
class task_awaiter {
public:
    using promise = task_promise<T>;

    explicit task_awaiter(std::coroutine_handle<> child) noexcept : child_(child) {}
    task_awaiter(const task_awaiter&) = delete;
    ~task_awaiter() {
        if (child_)
            child_.destroy();
    }

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    transfer_result await_suspend(std::coroutine_handle<Promise> parent, await_place where = await_place::current()) noexcept {
        check_awaiting<Promise>();
        parent.promise().where = where;
        promise_base& p = child_promise();
        p.continuation = parent;
        p.place = &child_;
        return transfer_to(child_);
    }

    T await_resume() { return child_promise().take(); }

    /// True if what left the task is `cancelled`; lets wrappers answer without catching.
    bool left_cancelled() noexcept { return child_promise().end == ending::cancelled; }

    /// The outcome as a value; never throws what left the task.
    outcome<T> settle();

private:
    promise& child_promise() noexcept { return std::coroutine_handle<promise>::from_address(child_.address()).promise(); }

    std::coroutine_handle<> child_;
};

struct task_access;

}

/// A coroutine that runs when it is awaited, in place, or when it is spawned. Lazy, moves only, awaited once, as an
/// rvalue (4.1). Destroyed unstarted, it never runs. Belongs to the thread that awaits it.
template <class T = void>
class [[nodiscard("a task does nothing until it is awaited or spawned")]] task {
public:
    using promise_type = detail::task_promise<T>;
    using value_type = T;

    task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (frame_)
                drop();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~task() {
        if (frame_)
            drop();
    }

    /// False once it has been awaited, spawned or moved from.
    explicit operator bool() const noexcept { return frame_ != nullptr; }

    /// Runs the task in place and gives its value, or rethrows what left it.
    detail::task_awaiter<T> operator co_await() && { return detail::task_awaiter<T>(release()); }

private:
    friend promise_type;
    friend detail::task_access;

    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

    std::coroutine_handle<promise_type> release() {
        if (!frame_)
            detail::throw_usage(errc::already_awaited,
                                "this corun::task has been awaited, spawned or moved from already; a task is awaited once");
        detail::frame_begins();
        return std::exchange(frame_, nullptr);
    }

    void drop() noexcept {
        detail::frame_begins();
        if (detail::may_be_debugging())
            detail::drop_unstarted(frame_);
        else
            frame_.destroy();
    }

    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

/// For spawn: takes the frame out of a task.
struct task_access {
    template <class T>
    static std::coroutine_handle<task_promise<T>> release(task<T>&& t) {
        return t.release();
    }
};

}

}
