// awaitable.hpp - what can be awaited, with which awaiter, for which value.
#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

namespace corun::detail {

template <class A>
concept has_member_co_await = requires(A&& a) { std::forward<A>(a).operator co_await(); };
template <class A>
concept has_free_co_await = requires(A&& a) { operator co_await(std::forward<A>(a)); };
template <class A>
concept is_awaiter = requires(A& a) {
    a.await_ready();
    a.await_resume();
};

template <class A>
decltype(auto) get_awaiter(A&& a) {
    if constexpr (has_member_co_await<A>)
        return std::forward<A>(a).operator co_await();
    else if constexpr (has_free_co_await<A>)
        return operator co_await(std::forward<A>(a));
    else
        return std::forward<A>(a);   // its own awaiter: moved into the wrapper, which is allowed before it has begun
}

/// Anything `co_await` accepts in a corun coroutine.
template <class A>
concept awaitable = has_member_co_await<A> || has_free_co_await<A> || is_awaiter<A>;

/// The awaiter's type, by value.
template <class A>
using awaiter_of = std::remove_cvref_t<decltype(get_awaiter(std::declval<A>()))>;

/// What `co_await` gives.
template <class A>
using await_result = decltype(std::declval<awaiter_of<A>&>().await_resume());

}
