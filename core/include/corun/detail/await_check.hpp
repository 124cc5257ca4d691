// await_check.hpp - what corun's coroutines may await: everything else is refused by the compiler, in words.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/is_task.hpp>
#include <corun/detail/promise.hpp>

#include <coroutine>
#include <type_traits>
#include <utility>

namespace corun::detail {

template <class A, class Promise>
concept may_be_awaited = awaitable<A> && own_awaiter<awaiter_of<A>, Promise>;

template <class A>
concept looks_like_future = requires(A& a) {
    a.valid();
    a.wait();
    a.get();
};

/// Stands for an awaiter that lies in the co_await's operand: GCC 12 would copy one that await_transform() gives by reference.
template <class Awaiter>
class awaiter_in_place {
public:
    explicit awaiter_in_place(Awaiter& awaiter) noexcept : awaiter_(&awaiter) {}

    auto await_ready() const noexcept(noexcept(std::declval<Awaiter&>().await_ready())) { return awaiter_->await_ready(); }
    template <class Promise>
    decltype(auto) await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) const
        noexcept(noexcept(std::declval<Awaiter&>().await_suspend(h, where))) {
        return awaiter_->await_suspend(h, where);
    }
    decltype(auto) await_resume() const noexcept(noexcept(std::declval<Awaiter&>().await_resume())) { return awaiter_->await_resume(); }

private:
    Awaiter* awaiter_;
};

/// The await_transform() of corun's promises. Fails to compile, with a text that says what to write, for what is not to be awaited.
template <class Promise, class A>
decltype(auto) pass_awaited(A&& awaited) noexcept {
    using bare = std::remove_cvref_t<A>;
    if constexpr (awaitable<A>) {
        static_assert(own_awaiter<awaiter_of<A>, Promise>,
                      "corun: what is awaited here belongs to another library and would resume this task outside of its loop: "
                      "co_await corun::foreign(x), or complete a corun::from_callback() in its callback");
    } else if constexpr (is_task<bare>) {
        static_assert(!is_task<bare>, "corun: a task is awaited once: co_await std::move(task), of one that is not const");
    } else if constexpr (awaitable<bare>) {
        static_assert(!awaitable<bare>, "corun: what is awaited once is awaited as an rvalue: co_await std::move(x)");
    } else if constexpr (looks_like_future<bare>) {
        static_assert(!looks_like_future<bare>, "corun: a std::future is awaited by co_await corun::in_thread(std::move(future))");
    } else if constexpr (requires(bare& f) { f(); }) {
        static_assert(!std::is_same_v<bare, bare>, "corun: a callable is not awaited but called: co_await f()");
    } else {
        static_assert(!std::is_same_v<bare, bare>,
                      "corun: this can't be awaited; co_await takes a corun::task, a task_handle and what corun's functions give");
    }
    // After a refusal nothing else is to be said.
    if constexpr (!may_be_awaited<A, Promise>)
        return std::suspend_never();
    else if constexpr (has_member_co_await<A> || has_free_co_await<A>)
        return static_cast<A&&>(awaited);
    else
        return awaiter_in_place<std::remove_reference_t<A>>(awaited);
}

}
