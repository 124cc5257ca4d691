// submit.hpp - a task for a loop, from another thread; its result is a std::future.
#pragma once

#include <corun/loop.hpp>
#include <corun/spawn.hpp>
#include <corun/task_handle.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// What the submitting thread and the loop share. `task` and `is_unwanted` are the loop's thread's.
template <class T>
struct submitted_task {
    void settle(task_handle<T>& ended) {
        try {
            if constexpr (std::is_void_v<T>) {
                std::move(ended).take();
                result.set_value();
            } else {
                result.set_value(std::move(ended).take());
            }
        } catch (const cancelled&) {
            result.set_exception(std::make_exception_ptr(task_cancelled()));
        } catch (...) {
            result.set_exception(std::current_exception());
        }
    }

    std::promise<T> result;
    std::optional<task_ref> task;
    bool is_unwanted = false;   // cancelled before it was started
};

}

/// A task that was submitted to a loop: a std::future of its value, and a way to cancel it.
template <class T>
class submission : public std::future<T> {
public:
    submission(std::shared_ptr<detail::submitted_task<T>> shared, loop_ref where)
        : std::future<T>(shared->result.get_future()), shared_(std::move(shared)), loop_(std::move(where)) {}

    /// The value, or what left the task. Waits for it: on the loop's own thread, where that would never end, throws
    /// usage_error(errc::wrong_thread) unless the answer is there.
    T get() {
        check_thread();
        return std::future<T>::get();
    }

    /// The same without taking it.
    void wait() const {
        check_thread();
        std::future<T>::wait();
    }

    /// Asks the task to end; get() then throws task_cancelled unless the task swallows the request. Any thread. False if the loop has
    /// closed.
    bool cancel() const {
        return loop_.post([shared = shared_] {
            if (shared->task)
                shared->task->cancel();
            else
                shared->is_unwanted = true;
        });
    }

private:
    void check_thread() const {
        if (loop_.is_of_this_thread() && this->wait_for(std::chrono::seconds(0)) != std::future_status::ready)
            detail::throw_usage(errc::wrong_thread,
                                "corun: waiting here for a task of this thread's own loop would never end; co_await it, "
                                "or wait on another thread");
    }

    std::shared_ptr<detail::submitted_task<T>> shared_;
    loop_ref loop_;
};

/// Starts `f()`, a callable that returns a task, on a loop from another thread and gives a future of its value
/// (asyncio.run_coroutine_threadsafe). A task that is cancelled makes get() throw task_cancelled. If the loop ends before the task was
/// started, get() throws std::future_error(broken_promise). Throws usage_error(errc::closed_loop) if the loop has closed.
template <class F>
auto submit(const loop_ref& where, F f) {
    using value = detail::called_task_value<F>;
    auto shared = std::make_shared<detail::submitted_task<value>>();
    submission<value> given(shared, where);
    const bool taken = where.post([shared = std::move(shared), f = std::move(f)]() mutable {
        if (shared->is_unwanted) {
            shared->result.set_exception(std::make_exception_ptr(task_cancelled()));
            return;
        }
        try {
            auto handle = spawn(std::move(f));
            shared->task = handle;
            handle.on_done([shared, handle]() mutable { shared->settle(handle); });
        } catch (...) {
            shared->result.set_exception(std::current_exception());
        }
    });
    if (!taken)
        detail::throw_usage(errc::closed_loop, "corun::submit(): this loop has been closed; nothing can be started on it any more");
    return given;
}

}
