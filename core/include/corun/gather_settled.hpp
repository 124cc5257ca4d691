// gather_settled.hpp - several awaitables at once, and how each of them ended.
#pragma once

#include <corun/gather.hpp>
#include <corun/outcome.hpp>

#include <type_traits>
#include <utility>
#include <vector>

namespace corun {

namespace detail {

template <class A>
task<outcome<started_value<A>>> settle_work(A work) {
    auto end = co_await settled(std::move(work));
    co_return end;
}

template <class T>
task<std::vector<outcome<T>>> settle_range(std::vector<task<outcome<T>>> works) {
    auto ends = co_await gather(std::move(works));
    co_return ends;
}

}

/// `co_await gather_settled(a, b)`: runs tasks (or callables, or any awaitables) at once, waits for all of them, and gives a tuple of their
/// outcomes in this order; none cancels another (gather with return_exceptions=True, 6.3). A request cancels all of them, waits, and leaves
/// as `cancelled`.
template <class... As>
    requires detail::several<As...>
auto gather_settled(As&&... works) {
    static_assert(!(detail::is_lvalue_task<As> || ...), "corun: a task has one owner: gather_settled(std::move(task))");
    return gather(detail::settle_work<std::decay_t<As>>(std::forward<As>(works))...);
}

/// The same for a range, a vector of tasks say: gives a vector of outcomes.
template <std::ranges::input_range Range>
auto gather_settled(Range&& works) {
    static_assert(detail::is_given<Range>, "corun: tasks have one owner: gather_settled(std::move(tasks))");
    using work = std::ranges::range_value_t<Range>;
    std::vector<task<outcome<detail::started_value<work>>>> settling;
    std::remove_cvref_t<Range> given(std::forward<Range>(works));
    for (auto& one : given)
        settling.push_back(detail::settle_work<work>(std::move(one)));
    return detail::settle_range(std::move(settling));
}

}
