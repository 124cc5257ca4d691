// submit.hpp - a task for a loop, from another thread; its result is a std::future.
#pragma once

#include <corun/loop.hpp>
#include <corun/spawn.hpp>
#include <corun/task_handle.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// What the submitting thread and the loop share: the loop's thread is the only one that uses `task` and `is_unwanted`.
template <class T>
struct submitted_task {
    std::promise<T> result;
    std::optional<task_ref> task;   // while it runs; gone before its loop is
    bool is_unwanted = false;       // cancelled before it was started
};

/// Goes with a submission through the loop: answers once, at the latest when it is dropped. Moves only.
template <class T>
class submission_end {
public:
    explicit submission_end(std::shared_ptr<submitted_task<T>> shared) noexcept : shared_(std::move(shared)) {}
    submission_end(submission_end&&) noexcept = default;
    ~submission_end() {
        if (shared_)
            fail(std::make_exception_ptr(
                usage_error(errc::closed_loop, "corun::submit(): the loop has closed before the task that was sent to it could end")));
    }

    /// The loop's thread, which has the submission now.
    bool is_unwanted() const noexcept { return shared_->is_unwanted; }

    void began(task_ref task) noexcept { shared_->task = std::move(task); }
    void settle(task_handle<T>& ended) {
        try {
            // The value's move may throw, and then the future is still to be answered: by fail().
            if constexpr (std::is_void_v<T>) {
                std::move(ended).take();
                shared_->result.set_value();
            } else {
                shared_->result.set_value(std::move(ended).take());
            }
            take();
        } catch (const cancelled&) {
            fail(std::make_exception_ptr(task_cancelled()));
        } catch (...) {
            fail(std::current_exception());
        }
    }
    void fail(std::exception_ptr error) noexcept {
        if (const auto shared = take())
            shared->result.set_exception(std::move(error));
    }

private:
    std::shared_ptr<submitted_task<T>> take() noexcept {
        if (shared_)
            shared_->task.reset();
        return std::move(shared_);
    }

    std::shared_ptr<submitted_task<T>> shared_;
};

/// Told when the task has ended. A type of its own, so that what could not be registered can still be answered.
template <class T, class End>
struct end_watcher {
    void operator()() { end.settle(handle); }

    End end;
    task_handle<T> handle;
};

/// Starts `f()` for somebody who is not on the loop. `end.began(task)` says that it runs; then `end` is answered once: `settle(handle)`
/// when the task has ended, `fail(exception)` if it could not be started or watched.
template <class T, class F, class End>
void start_answered(F&& f, End end) {
    end_watcher<T, End> watcher{std::move(end), {}};
    try {
        const auto task = spawn(std::forward<F>(f));
        watcher.handle = task;
        watcher.end.began(task);
        task.on_done(std::move(watcher));
    } catch (...) {
        if (watcher.handle)
            watcher.handle.cancel();
        watcher.end.fail(std::current_exception());
    }
}

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
    bool cancel(std::source_location where = std::source_location::current()) const {
        return loop_.post([shared = shared_, where] {
            if (shared->task)
                shared->task->cancel(where);
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
/// (asyncio.run_coroutine_threadsafe). A task that is cancelled makes get() throw task_cancelled. If the loop closes before the task has
/// ended, get() throws usage_error(errc::closed_loop). Throws the same if the loop has closed.
template <class F>
auto submit(const loop_ref& where, F f) {
    using value = detail::called_task_value<F>;
    auto shared = std::make_shared<detail::submitted_task<value>>();
    submission<value> given(shared, where);
    const bool taken = where.post([end = detail::submission_end<value>(std::move(shared)), f = std::move(f)]() mutable {
        if (end.is_unwanted())
            end.fail(std::make_exception_ptr(task_cancelled()));
        else
            detail::start_answered<value>(std::move(f), std::move(end));
    });
    if (!taken)
        detail::throw_usage(errc::closed_loop, "corun::submit(): this loop has been closed; nothing can be started on it any more");
    return given;
}

}
