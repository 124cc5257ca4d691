// finally.hpp - clean-up that awaits, however the body ends.
#pragma once

#include <corun/exception_group.hpp>
#include <corun/outcome.hpp>
#include <corun/spawn.hpp>

#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

namespace corun {

namespace detail {

/// Throws the two ends together, or the one that is no value.
void throw_both(std::exception_ptr body, std::exception_ptr cleanup);

template <class T>
std::exception_ptr left_of(const outcome<T>& o) {
    return o.is_cancelled() ? std::make_exception_ptr(cancelled{}) : o.error();
}

/// A task as it is, a callable called, any other awaitable wrapped: something that can be awaited in place.
template <class A>
auto to_task(A&& work) {
    if constexpr (is_task<std::remove_cvref_t<A>>)
        return std::forward<A>(work);
    else if constexpr (task_callable<A>)
        return std::invoke(work);
    else
        return as_task<std::decay_t<A>>(std::forward<A>(work));
}

}

/// `co_await finally(body, cleanup)`: awaits the body, then the clean-up however the body ended (each a task, a callable that
/// returns one, or any awaitable), then gives the body's value or rethrows what left it. The clean-up may await: the
/// request that ended the body is not delivered again. If both throw: an exception_group of the two, the body's first.
template <class Body, class Cleanup>
auto finally(Body body, Cleanup cleanup) -> task<typename decltype(detail::to_task(std::declval<Body>()))::value_type> {
    auto left = co_await settled(detail::to_task(std::move(body)));
    auto cleaned = co_await settled(detail::to_task(std::move(cleanup)));
    if (left.is_cancelled() && cleaned.is_cancelled())
        throw cancelled{};   // two requests, one end
    if (!cleaned.has_value())
        detail::throw_both(detail::left_of(left), detail::left_of(cleaned));
    co_return std::move(left).value();
}

}
