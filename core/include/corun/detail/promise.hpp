// promise.hpp - what the coroutines of corun share: frames from the pool, in-place awaits, how they end.
#pragma once

#include <corun/detail/frame_pool.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/detail/transfer.hpp>
#include <corun/detail/waiting.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <source_location>
#include <utility>

namespace corun::detail {

/// The type-erased part of a promise. Its alignment is that of every frame, so that a handle leads to it without its type.
struct alignas(16) promise_base {
    explicit promise_base(std::source_location made) noexcept : where(made) {}
    promise_base(const promise_base&) = delete;
    ~promise_base() {
        if (end == ending::error)
            error.~exception_ptr();
    }

    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct final_awaiter {
        final_awaiter() noexcept = default;
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        transfer_result await_suspend(std::coroutine_handle<Promise> h) noexcept {
            promise_base& p = h.promise();
            if (p.continuation)
                return transfer_to(p.continuation);
            // The root: only noted here. Its frame is destroyed after resume() has returned, never from inside itself.
            task_state& t = *try_core()->current_task;
            t.resume_point = h;
            t.ended = true;
            return transfer_to_loop();
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept {
        if (handling_cancelled()) {
            end = ending::cancelled;
        } else {
            ::new (static_cast<void*>(&error)) std::exception_ptr(std::current_exception());
            end = ending::error;
        }
    }

    /// Throws what ended the coroutine, if it was not a value.
    void rethrow() {
        if (end == ending::cancelled)
            throw cancelled{};
        if (end == ending::error) {
            std::rethrow_exception(take_error());
        }
    }

    /// The exception that ended the coroutine; null if none did, or it has been taken.
    std::exception_ptr take_error() noexcept { return end == ending::error ? std::exchange(error, nullptr) : std::exception_ptr(); }

    std::coroutine_handle<> continuation;       // who awaits us in place; none for a root
    std::coroutine_handle<>* place = nullptr;   // where the awaiter keeps our handle
    union {
        std::source_location where;   // while it has not ended: the await at which it stands, before the first one the coroutine itself
        std::exception_ptr error;     // ended by one
    };
    ending end = ending::none;
};

/// True for promises of corun's own coroutines: only in these can corun's awaitables be awaited.
template <class Promise>
concept own_promise = std::derived_from<Promise, promise_base>;

/// Fails to compile, with a text, for an await in another library's coroutine.
template <class Promise>
consteval void check_awaiting() {
    static_assert(own_promise<Promise>, "corun: this can be awaited in a corun::task only; from another library's coroutine start a task: "
                                        "corun::async_run() makes it an operation of Asio's, spawn(f).on_done(g) calls g at its end");
}

/// The promise of one of our frames.
inline promise_base& promise_of(std::coroutine_handle<> h) noexcept {
    return std::coroutine_handle<promise_base>::from_address(h.address()).promise();
}

/// What await_suspend() notes of the co_await that called it, as its last parameter.
using await_place = std::source_location;

/// True for awaiters of corun's: they are told the place of the await.
template <class Awaiter, class Promise>
concept own_awaiter = requires(Awaiter& a, std::coroutine_handle<Promise> h, const await_place& where) { a.await_suspend(h, where); };

/// The task whose step this is, which stands at `where` from now on and resumes at `h`.
template <class Promise>
task_state& suspending_task(std::coroutine_handle<Promise> h, const await_place& where) {
    check_awaiting<Promise>();
    h.promise().where = where;
    loop_core& core = *try_core();
    if (core.forked)
        throw_forked();
    task_state& t = *core.current_task;
    t.resume_point = h;
    return t;
}

/// Suspends an awaiter that another one wraps.
template <class Awaiter, class Promise>
decltype(auto) suspend_inner(Awaiter& inner, std::coroutine_handle<Promise> h, const await_place& where) {
    static_assert(own_awaiter<Awaiter, Promise>,
                  "corun: what is wrapped here belongs to another library and would resume this task outside of its loop: give "
                  "corun::foreign(x), or complete a corun::from_callback() in its callback");
    return inner.await_suspend(h, where);
}

/// The coroutine came to its end without the value that it owes: that is its error.
void note_no_value(promise_base&) noexcept;

}
