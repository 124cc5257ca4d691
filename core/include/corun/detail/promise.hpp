// promise.hpp - what the coroutines of corun share: frames from the pool, in-place awaits, how they end.
#pragma once

#include <corun/detail/frame_pool.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/detail/transfer.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>

namespace corun::detail {

/// The type-erased part of a promise. Its alignment is that of every frame, so that a handle leads to it without its type.
struct alignas(16) promise_base {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
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
            error = std::current_exception();
            end = ending::error;
        }
    }

    /// Throws what ended the coroutine, if it was not a value.
    void rethrow() {
        if (end == ending::cancelled)
            throw cancelled{};
        if (end == ending::error) {
            std::exception_ptr left = std::move(error);
            std::rethrow_exception(std::move(left));
        }
    }

    std::coroutine_handle<> continuation;       // who awaits us in place; none for a root
    std::coroutine_handle<>* place = nullptr;   // where the awaiter keeps our handle
    std::exception_ptr error;
    ending end = ending::none;
};

/// True for promises of corun's own coroutines: only in these can corun's awaitables be awaited.
template <class Promise>
concept own_promise = std::derived_from<Promise, promise_base>;

/// The promise of one of our frames.
inline promise_base& promise_of(std::coroutine_handle<> h) noexcept {
    return std::coroutine_handle<promise_base>::from_address(h.address()).promise();
}

/// The task whose step this is; throws usage_error for an await in a coroutine that no loop runs.
template <class Promise>
task_state& suspending_task(std::coroutine_handle<Promise>) {
    if constexpr (own_promise<Promise>)
        return *try_core()->current_task;
    else
        throw_usage(errc::not_started, "a corun awaitable was awaited in a coroutine that no corun loop runs; await it in a corun::task "
                                       "given to corun::run() or corun::spawn()");
}

}
