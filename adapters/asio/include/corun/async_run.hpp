// async_run.hpp - a corun task as an Asio operation: `co_await corun::async_run(loop, f, asio::use_awaitable)`.
#pragma once

#include <corun/loop.hpp>
#include <corun/spawn.hpp>
#include <corun/submit.hpp>
#include <corun/task_handle.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/system_executor.hpp>

#include <concepts>
#include <exception>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail::asio_bridge {

/// The handler of an async_run(), on its way to the loop and back to its executor. Called once: with the task's end, or when it goes
/// unasked, because the loop has closed.
template <class T, class Handler>
class run_completion {
    using executor = asio::associated_executor_t<Handler>;

public:
    run_completion(Handler&& h, std::shared_ptr<task_ref> started)
        : handler_(std::make_unique<Handler>(std::move(h))),
          work_(asio::get_associated_executor(*handler_)),
          started_(std::move(started)) {}
    run_completion(run_completion&&) noexcept = default;
    ~run_completion() {
        if (handler_)
            fail(std::make_exception_ptr(
                usage_error(errc::closed_loop, "corun::async_run: the loop has closed before the task that was sent to it could end")));
    }

    void began(task_ref task) noexcept { *started_ = std::move(task); }
    void settle(const task_handle<T>& ended) {
        if (ended.is_cancelled()) {
            fail(std::make_exception_ptr(std::system_error(asio::error::operation_aborted, "corun::async_run: the task was cancelled")));
            return;
        }
        try {
            if constexpr (std::is_void_v<T>) {
                ended.get();
                call([](Handler& h) { std::move(h)(std::exception_ptr()); });
            } else {
                call([value = task_handle<T>(ended).take()](Handler& h) mutable { std::move(h)(std::exception_ptr(), std::move(value)); });
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }
    void fail(std::exception_ptr error) {
        if (!handler_)
            return;
        call([error = std::move(error)](Handler& h) mutable {
            if constexpr (std::is_void_v<T>)
                std::move(h)(std::move(error));
            else
                std::move(h)(std::move(error), T());
        });
    }

private:
    template <class F>
    void call(F f) {
        *started_ = {};   // here, since it belongs to the loop's thread, and the slot may hold it for longer
        auto run = [handler = std::move(handler_), f = std::move(f)]() mutable {
            if (auto slot = asio::get_associated_cancellation_slot(*handler); slot.is_connected())
                slot.clear();
            // Out of the block first: what the handler does may end everything it was part of.
            Handler own(std::move(*handler));
            handler.reset();
            f(own);
        };
        // A handler without a loop of its own (a bare callback, a future) is called where the task ended, on the loop's thread.
        if constexpr (std::same_as<executor, asio::system_executor> || !std::convertible_to<executor, asio::any_io_executor>)
            asio::dispatch(work_.get_executor(), std::move(run));
        else
            asio::post(work_.get_executor(), std::move(run));
    }

    std::unique_ptr<Handler> handler_;
    asio::executor_work_guard<executor> work_;
    std::shared_ptr<task_ref> started_;
};

struct run_initiation {
    template <class Handler, class F>
    void operator()(Handler&& handler, const loop_ref& where, F&& f) const {
        using value = called_task_value<std::decay_t<F>>;
        const auto started = std::make_shared<task_ref>();   // loop's thread
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([where, started](asio::cancellation_type) {
                where.post([started] {
                    if (*started)
                        started->state().cancel(cancel_reason(cancel_origin::host));
                });
            });
        where.post([completion = run_completion<value, std::decay_t<Handler>>(std::forward<Handler>(handler), started),
                    f = std::decay_t<F>(std::forward<F>(f))]() mutable { start_answered<value>(std::move(f), std::move(completion)); });
    }
};

}

/// Runs a task of the loop as an Asio operation with the signature void(std::exception_ptr, T), or void(std::exception_ptr): `f` is a
/// callable that returns the task, called on the loop's thread, or the task itself. Any thread. The completion is posted to the handler's
/// executor; a handler without one is called on the loop's thread. The handler's cancellation slot cancels the task, whose end is then
/// operation_aborted. A loop that has closed, or closes before the task has ended, answers with usage_error(errc::closed_loop). T must have
/// a default constructor.
template <class F, class Token>
    requires detail::task_callable<F>
auto async_run(loop_ref where, F&& f, Token&& token) {
    using value = detail::called_task_value<F>;
    using signature = typename std::conditional_t<
        std::is_void_v<value>, std::type_identity<void(std::exception_ptr)>,
        std::type_identity<void(std::exception_ptr, std::conditional_t<std::is_void_v<value>, int, value>)>>::type;
    return asio::async_initiate<Token, signature>(detail::asio_bridge::run_initiation(), token, std::move(where), std::forward<F>(f));
}

/// The same for a task that has been made already: `async_run(loop, work(7), token)`.
template <class T, class Token>
auto async_run(loop_ref where, task<T> t, Token&& token) {
    return async_run(std::move(where), [t = std::move(t)]() mutable { return std::move(t); }, std::forward<Token>(token));
}

/// The same for a loop that is known to exist: a guest's, loop::current().
template <class F, class Token>
    requires detail::task_callable<F>
auto async_run(const loop& where, F&& f, Token&& token) {
    return async_run(where.ref(), std::forward<F>(f), std::forward<Token>(token));
}

template <class T, class Token>
auto async_run(const loop& where, task<T> t, Token&& token) {
    return async_run(where.ref(), std::move(t), std::forward<Token>(token));
}

}
