// finally.hpp - clean-up that awaits, however the body ends.
#pragma once

#include <corun/detail/call.hpp>
#include <corun/exception_group.hpp>
#include <corun/outcome.hpp>
#include <corun/task.hpp>

#include <cstdint>
#include <exception>
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

/// What a task that awaits this gives: a task's value as it is, of any other awaitable a copy.
template <class A>
using value_to_keep =
    std::conditional_t<awaitable<A> && !is_task<A>, std::remove_cvref_t<await_result<awaited<A>>>, await_result<awaited<A>>>;

/// A request that was made before a clean-up began and that no await has taken: kept from the clean-up, and given back after it (5.3).
class held_request {
public:
    held_request() noexcept;
    held_request(const held_request&) = delete;

    /// The clean-up is over. `leaves_error`: an error leaves, and the request waits for the next suspension. Else true if the request is
    /// delivered hereby, because the clean-up has passed a suspension at which it would have been; or it waits for the next one.
    bool give_back(bool leaves_error) noexcept;

private:
    std::uint64_t resumptions_;
    bool is_held_;
};

}

/// `co_await finally(body, cleanup)`: awaits the body, then the clean-up however the body ended (each a task, a callable that
/// returns one, or any awaitable), then gives the body's value or rethrows what left it. The clean-up may await: no request that
/// was made before it began is delivered inside it; one that the body had not been given is delivered after it. A request that comes
/// meanwhile is delivered inside. If both throw: an exception_group of the two, the body's first.
template <detail::awaitable_or_call Body, detail::awaitable_or_call Cleanup>
auto finally(Body body, Cleanup cleanup) -> task<detail::value_to_keep<Body>> {
    auto left = co_await settled(std::move(body));
    detail::held_request before;
    auto cleaned = co_await settled(std::move(cleanup));
    const bool is_delivered = before.give_back(left.is_error() || cleaned.is_error());
    if (!cleaned.has_value() && !(left.is_cancelled() && cleaned.is_cancelled()))
        detail::throw_both(detail::left_of(left), detail::left_of(cleaned));
    if (is_delivered || left.is_cancelled())
        throw cancelled{};   // several requests, one end
    co_return std::move(left).value();
}

}
