// outcome.hpp - how an await ended, as a value: settled(awaitable) never throws, so clean-up may await.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/call.hpp>
#include <corun/detail/promise.hpp>
#include <corun/detail/request.hpp>
#include <corun/errors.hpp>
#include <corun/task.hpp>

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace corun {

/// A value, an exception, or `cancelled`: what left an await.
template <class T>
class [[nodiscard("an error or a cancellation is in it, if there was one: look at it")]] outcome {
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate,
                                      std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, std::remove_const_t<T>>>;

public:
    outcome() noexcept = default;

    /// An outcome that ended with an exception that is not `cancelled`.
    static outcome of_error(std::exception_ptr e) noexcept {
        outcome o;
        o.end_ = detail::ending::error;
        o.error_ = std::move(e);
        return o;
    }
    /// The same for any exception: an outcome that was cancelled if it is `cancelled`.
    static outcome of_exception(std::exception_ptr e) noexcept { return detail::is_cancelled(e) ? of_cancelled() : of_error(std::move(e)); }
    /// An outcome that was cancelled.
    static outcome of_cancelled() noexcept {
        outcome o;
        o.end_ = detail::ending::cancelled;
        return o;
    }
    /// An outcome that holds what `f()` returns.
    template <class F>
    static outcome of_call(F&& f) {
        outcome o;
        if constexpr (std::is_void_v<T>) {
            f();
            o.value_.emplace();
        } else if constexpr (std::is_reference_v<T>) {
            o.value_.emplace(std::addressof(f()));
        } else {
            o.value_.emplace(f());
        }
        o.end_ = detail::ending::value;
        return o;
    }

    /// How it ended: one of the three.
    bool has_value() const noexcept { return end_ == detail::ending::value; }
    explicit operator bool() const noexcept { return has_value(); }
    bool is_cancelled() const noexcept { return end_ == detail::ending::cancelled; }
    bool is_error() const noexcept { return end_ == detail::ending::error; }

    /// The exception; null for a value or `cancelled`.
    const std::exception_ptr& error() const noexcept { return error_; }

    /// The value; throws what came instead, `cancelled` included.
    std::add_lvalue_reference_t<T> value() & {
        rethrow();
        if constexpr (std::is_reference_v<T>)
            return **value_;
        else if constexpr (!std::is_void_v<T>)
            return *value_;
    }
    T value() && {
        rethrow();
        if constexpr (std::is_reference_v<T>)
            return **value_;
        else if constexpr (!std::is_void_v<T>)
            return std::move(*value_);
    }

    /// Throws what came instead of a value; does nothing if there is one.
    void rethrow() const {
        if (end_ == detail::ending::cancelled)
            throw cancelled{};
        if (end_ == detail::ending::error)
            std::rethrow_exception(error_);
    }

    /// True if the exception is an E (or derived).
    template <class E>
    bool threw() const noexcept {
        if constexpr (std::is_same_v<E, cancelled>) {
            return is_cancelled();
        } else {
            if (!is_error())
                return false;
            try {
                std::rethrow_exception(error_);
            } catch (const E&) {
                return true;
            } catch (...) {
                return false;
            }
        }
    }

private:
    detail::ending end_ = detail::ending::none;
    std::exception_ptr error_;
    std::optional<stored> value_;
};

namespace detail {

template <class T>
outcome<T> task_awaiter<T>::settle() {
    promise& p = child_promise();
    if (p.end == ending::cancelled)
        return outcome<T>::of_cancelled();
    if (p.end == ending::error)
        return outcome<T>::of_error(p.take_error());
    return outcome<T>::of_call([&]() -> T {
        if constexpr (!std::is_void_v<T>)
            return p.out->take();
    });
}

/// Awaits another awaitable, in this frame, and answers its outcome. What is thrown before the wait has begun, by a call that gives no task
/// or by a refusal, is an outcome too: `inner_` is gone then, and `refused_` is set.
template <class A>
class settled_awaiter {
    using inner = awaiter_of<A>;

public:
    using value = await_result<A>;

    explicit settled_awaiter(A&& awaitable) noexcept {
        try {
            ::new (static_cast<void*>(std::addressof(inner_))) inner(get_awaiter(std::forward<A>(awaitable)));
        } catch (...) {
            refused_ = std::current_exception();
        }
    }
    settled_awaiter(const settled_awaiter&) = delete;
    ~settled_awaiter() {
        if (!refused_)
            std::destroy_at(std::addressof(inner_));
    }

    bool await_ready() noexcept {
        if (refused_)
            return true;
        try {
            return inner_.await_ready();
        } catch (...) {
            refuse();
            return true;
        }
    }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) noexcept {
        using suspended = decltype(suspend_inner(inner_, h, where));
        if constexpr (std::is_convertible_v<suspended, std::coroutine_handle<>>) {
            return suspend_inner(inner_, h, where);
        } else {
            try {
                if constexpr (std::is_void_v<suspended>)
                    return suspend_inner(inner_, h, where), true;
                else
                    return suspend_inner(inner_, h, where);
            } catch (...) {
                refuse();
                return false;
            }
        }
    }
    outcome<value> await_resume() {
        if (refused_)
            return outcome<value>::of_exception(refused_);
        if constexpr (requires { inner_.settle(); }) {
            return inner_.settle();
        } else {
            try {
                return outcome<value>::of_call([this]() -> value { return inner_.await_resume(); });
            } catch (const cancelled&) {
                return outcome<value>::of_cancelled();
            } catch (...) {
                return outcome<value>::of_error(std::current_exception());
            }
        }
    }

private:
    void refuse() noexcept {
        std::destroy_at(std::addressof(inner_));
        refused_ = std::current_exception();
    }

    union {
        inner inner_;
    };
    std::exception_ptr refused_;
};

template <class A>
using settled_request = request<settled_awaiter<A>, A>;

}

/// `auto left = co_await settled(awaitable)`: waits as the awaitable does and answers value, error or cancelled instead
/// of throwing (5.3). A cancel request reaches the awaitable as usual. Takes a callable that gives a task, too: it is kept, and called when
/// it is awaited.
template <detail::awaitable_or_call A>
detail::settled_request<detail::awaited<A>> settled(A&& awaitable) {
    return detail::settled_request<detail::awaited<A>>(std::forward<A>(awaitable));
}

}
