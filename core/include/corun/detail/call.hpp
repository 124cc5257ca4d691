// call.hpp - a callable whose call gives a task, in the place of that task: it is called when it is awaited.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/promise.hpp>
#include <corun/task.hpp>

#include <concepts>
#include <coroutine>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace corun::detail {

/// The value type of a task.
template <class Task>
using task_value = typename std::remove_cvref_t<Task>::value_type;

/// A callable with arguments whose call gives a task.
template <class F, class... Args>
concept task_callable = std::invocable<std::decay_t<F>&, std::decay_t<Args>...> &&
                        is_task<std::remove_cvref_t<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>>;

template <class F, class... Args>
using called_task_value = task_value<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>;

/// Awaits in place the task that a call gives. What the call throws instead leaves as what that task would have thrown (4.2).
template <class F>
class call_awaiter {
public:
    explicit call_awaiter(F& f) noexcept : function_(&f) {}
    call_awaiter(const call_awaiter&) = delete;

    bool await_ready() {
        task_.emplace(task_access::release(std::invoke(*function_)));
        return false;
    }
    template <class Promise>
    transfer_result await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) noexcept {
        return task_->await_suspend(h, where);
    }
    called_task_value<F> await_resume() { return task_->await_resume(); }
    bool left_cancelled() noexcept { return task_->left_cancelled(); }
    outcome<called_task_value<F>> settle() { return task_->settle(); }

private:
    F* function_;
    std::optional<task_awaiter<called_task_value<F>>> task_;
};

/// A callable as an awaitable; keeps it.
template <class F>
class [[nodiscard("nothing is called until it is awaited")]] call_request {
public:
    template <class G>
        requires(!std::same_as<std::remove_cvref_t<G>, call_request>)
    call_request(G&& f) : function_(std::forward<G>(f)) {}
    call_awaiter<F> operator co_await() && noexcept { return call_awaiter<F>(function_); }

private:
    F function_;
};

/// What a wrapper takes: anything that can be awaited, or a callable whose call gives a task.
template <class A>
concept awaitable_or_call = awaitable<A> || task_callable<A>;

/// What the wrapper then awaits.
template <class A>
using awaited = std::conditional_t<awaitable<A>, A, call_request<std::decay_t<A>>>;

}
