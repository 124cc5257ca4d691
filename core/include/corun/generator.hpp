// generator.hpp - values one after another, from a coroutine that may await between them (asyncio's asynchronous generators).
#pragma once

#include <corun/detail/await_check.hpp>
#include <corun/detail/generator_promise.hpp>
#include <corun/generator_exit.hpp>

#include <concepts>
#include <coroutine>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace corun {

/// A coroutine that gives values with co_yield and may await between them. Lazy, moves only, but not while somebody waits in it. It runs in
/// place, in the task that asks for a value: a request to that task is delivered inside it and ends it. Destroyed before its end, its frame
/// goes at once; clean-up that awaits needs close(). What is still open when a run ends is closed by the loop (shutdown_asyncgens).
/// Belongs to the loop of its first value. `generator<int> g = count(); while (auto n = co_await g.next()) use(*n);`
template <class T>
class [[nodiscard("a generator does nothing until next() is awaited")]] generator {
    static_assert(std::is_object_v<T> && std::movable<T>, "a generator gives values that move; for references, give pointers");
    static_assert(alignof(T) <= 16, "corun: a generator's values must not be over-aligned");

public:
    struct promise_type;
    class awaiter;
    using value_type = T;

    generator(generator&& other) noexcept : generator(std::exchange(other.frame_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        if (this != &other) {
            detail::destroy_generator(frame_);
            own(std::exchange(other.frame_, nullptr));
        }
        return *this;
    }
    ~generator() { detail::destroy_generator(frame_); }

    /// Runs it up to its next co_yield and gives that value; nullopt once it has ended (anext). Throws what left it, once.
    /// usage_error(errc::busy) if another task waits in it, usage_error(errc::foreign_loop) on another loop than that of its first value.
    [[nodiscard("nothing happens until it is awaited")]] awaiter next() noexcept { return awaiter(*this); }

    /// Ends it: the co_yield at which it stands throws `generator_exit`, clean-up may await (aclose). One that has not begun or has ended
    /// just goes. Throws what left it, and usage_error(errc::busy) if it yields again, or somebody waits in it.
    [[nodiscard("nothing happens until it is awaited")]] detail::generator_close_awaiter close() noexcept {
        return detail::generator_close_awaiter(frame_);
    }

private:
    explicit generator(std::coroutine_handle<> frame) noexcept { own(frame); }
    void own(std::coroutine_handle<> frame) noexcept {
        frame_ = frame;
        if (frame)
            detail::generator_promise_of(frame).holder = &frame_;
    }

    std::coroutine_handle<> frame_;
};

template <class T>
struct generator<T>::promise_type : detail::generator_promise {
    explicit promise_type(std::source_location made = std::source_location::current()) noexcept : generator_promise(made) {}

    template <class A>
    decltype(auto) await_transform(A&& awaitable) const noexcept {
        return detail::pass_awaited<promise_type>(std::forward<A>(awaitable));
    }

    generator get_return_object() noexcept { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }

    template <class U = T>
        requires std::convertible_to<U&&, T>
    yield_awaiter yield_value(U&& v) {
        value.emplace(std::forward<U>(v));
        return yield_awaiter(*this);
    }

    std::optional<T> value;
};

/// The wait for a generator's next value.
template <class T>
class generator<T>::awaiter {
public:
    explicit awaiter(generator& g) noexcept : generator_(&g) {}

    bool await_ready() const {
        if (!generator_->frame_ || promise().has_ended())
            return true;
        promise().begin();
        return false;
    }
    template <class Promise>
    detail::transfer_result await_suspend(std::coroutine_handle<Promise> h,
                                          detail::await_place where = detail::await_place::current()) noexcept {
        detail::check_awaiting<Promise>();
        h.promise().where = where;
        return promise().go_on(h);
    }
    std::optional<T> await_resume() {
        if (!generator_->frame_)
            return std::nullopt;
        if (!promise().has_ended())
            return std::exchange(promise().value, std::nullopt);
        const generator ended(std::move(*generator_));
        detail::generator_promise_of(ended.frame_).rethrow();
        return std::nullopt;
    }

private:
    promise_type& promise() const noexcept { return static_cast<promise_type&>(detail::generator_promise_of(generator_->frame_)); }

    generator* generator_;
};

}
