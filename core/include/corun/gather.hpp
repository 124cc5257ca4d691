// gather.hpp - several awaitables at once: all of them, or the first.
#pragma once

#include <corun/detail/children.hpp>
#include <corun/spawn.hpp>

#include <cstddef>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace corun {

namespace detail {

/// The children of one gather() or race(): the deciding end, and who has to hear of what came later.
class joint_scope final : public child_scope {
public:
    enum class goal : std::uint8_t { all, first };

    explicit joint_scope(goal g) : child_scope(this_task_state()), goal_(g) {}
    joint_scope(const joint_scope&) = delete;

    /// Children that could not all be started must not outlive the scope.
    ~joint_scope();

    template <class A>
    auto start(A&& work) {
        auto child = start_any(*parent().owner, this, std::forward<A>(work));
        child_started();
        return child;
    }

    /// A request from outside: every child is asked to end.
    void request() noexcept;

    /// After the last end: throws the deciding error, or `cancelled` after a request.
    void leave();

    /// Which child decided a race.
    const task_ref& winner() const noexcept { return decided_by_; }

private:
    void child_ended(task_state& child) noexcept override;

    goal goal_;
    bool requested_ = false;
    task_ref decided_by_;
};

/// Ends the scope's children, in the way of clean-up: requests are remembered.
inline task<> all_ended(joint_scope& scope) {
    while (scope.unfinished() > 0) {
        const bool undisturbed = co_await scope.ended();
        if (!undisturbed)
            scope.request();
    }
    scope.leave();
}

template <class T>
using or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class A>
using started_value = typename decltype(start_any(std::declval<loop_core&>(), nullptr, std::declval<A>()))::value_type;

template <class T>
or_monostate<T> take_value(task_handle<T>&& h) {
    if constexpr (std::is_void_v<T>)
        return {};
    else
        return std::move(h).take();
}

template <class... As>
using gathered = std::conditional_t<(std::is_void_v<started_value<As>> && ...), void, std::tuple<or_monostate<started_value<As>>...>>;

template <class... As>
task<gathered<As...>> gather_all(As... works) {
    joint_scope scope(joint_scope::goal::all);
    auto children = std::tuple<task_handle<started_value<As>>...>{scope.start(std::move(works))...};
    co_await all_ended(scope);
    if constexpr (!std::is_void_v<gathered<As...>>)
        co_return std::apply([](auto&... h) { return gathered<As...>(take_value(std::move(h))...); }, children);
}

template <class Range>
using range_value = started_value<std::ranges::range_value_t<Range>>;

template <class Range>
using gathered_range = std::conditional_t<std::is_void_v<range_value<Range>>, void, std::vector<or_monostate<range_value<Range>>>>;

template <class Range>
task<gathered_range<Range>> gather_range(Range works) {
    joint_scope scope(joint_scope::goal::all);
    std::vector<task_handle<range_value<Range>>> children;
    for (auto& work : works)
        children.push_back(scope.start(std::move(work)));
    co_await all_ended(scope);
    if constexpr (!std::is_void_v<range_value<Range>>) {
        gathered_range<Range> values;
        values.reserve(children.size());
        for (auto& child : children)
            values.push_back(std::move(child).take());
        co_return values;
    }
}

template <class... As>
using raced = std::variant<or_monostate<started_value<As>>...>;

template <class... As>
task<raced<As...>> race_all(As... works) {
    joint_scope scope(joint_scope::goal::first);
    auto children = std::tuple<task_handle<started_value<As>>...>{scope.start(std::move(works))...};
    co_await all_ended(scope);
    std::optional<raced<As...>> result;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((std::get<I>(children) == scope.winner()
              ? void(result.emplace(std::in_place_index<I>, take_value(std::move(std::get<I>(children)))))
              : void()),
         ...);
    }(std::index_sequence_for<As...>{});
    co_return std::move(*result);
}

}

/// `co_await gather(a, b)`: runs tasks (or callables, or any awaitables) at once and gives a tuple of their values in this
/// order, std::monostate for void, nothing if all are void. The first error cancels the others, waits for them and leaves as
/// it is; later errors go to the exception hook; a child that others cancelled counts as `task_cancelled` (6.3).
template <class... As>
    requires(sizeof...(As) > 0 && !(sizeof...(As) == 1 && (std::ranges::input_range<As> && ...)))
auto gather(As&&... works) {
    return detail::gather_all<std::decay_t<As>...>(std::forward<As>(works)...);
}

/// The same for a range, a vector of tasks say: gives a vector, or nothing for void.
template <std::ranges::input_range Range>
auto gather(Range works) {
    return detail::gather_range<Range>(std::move(works));
}

/// `co_await race(a, b)`: the first to end decides; the others are cancelled and waited for. Gives a variant whose index tells
/// who it was (std::monostate for void), or throws that one's error as it is; errors of losers go to the hook (6.3).
template <class... As>
    requires(sizeof...(As) > 0)
auto race(As&&... works) {
    return detail::race_all<std::decay_t<As>...>(std::forward<As>(works)...);
}

}
