// gather.hpp - several awaitables at once: all of them, or the first.
#pragma once

#include <corun/detail/children.hpp>
#include <corun/spawn.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
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

    /// One that can't be started, an awaited task say, is a child that fails at once.
    template <class A>
    auto start(A&& work) {
        using handle = decltype(start_any(*parent().core, this, std::forward<A>(work)));
        using value = typename handle::value_type;
        handle child;
        try {
            child = start_any(*parent().core, this, std::forward<A>(work));
        } catch (...) {
            child = start_any(*parent().core, this, failing<value>(outcome<value>::of_exception(std::current_exception())));
        }
        child_started();
        return child;
    }

    /// A request from outside: every child is asked to end.
    void request() noexcept;

    /// After the last end: throws the deciding error, or `cancelled` after a request.
    void leave();

    /// In a race, at the end of a child's body: it decides now, not with the bookkeeping of its end. A sibling that has been given
    /// something and has not resumed is asked in time, and gives it back (5.4).
    class end_of_child {
    public:
        explicit end_of_child(joint_scope& s) noexcept : scope_(&s) {}
        end_of_child(const end_of_child&) = delete;
        ~end_of_child() { scope_->body_ended(); }

    private:
        joint_scope* scope_;
    };

    /// Which child decided a race.
    const task_ref& winner() const noexcept { return decided_by_; }

private:
    void child_ended(task_state& child) noexcept override;
    void body_ended() noexcept;
    cancel_reason reason() const noexcept;

    goal goal_;
    bool requested_ = false;
    task_ref decided_by_;
};

/// Waits for the ends of the scope's children, in the way of clean-up: requests are passed to them and remembered.
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

/// A child of a race.
template <class A>
task<started_value<A>> race_child(joint_scope& scope, A work) {
    const joint_scope::end_of_child at_end(scope);
    if constexpr (!is_task<A> && task_callable<A>) {
        call_request<A> call(std::move(work));
        co_return co_await std::move(call);
    } else {
        co_return co_await std::move(work);
    }
}

template <class... As>
task<raced<As...>> race_all(As... works) {
    joint_scope scope(joint_scope::goal::first);
    auto children = std::tuple<task_handle<started_value<As>>...>{scope.start(race_child(scope, std::move(works)))...};
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

/// What won a race of a range: its place in it, and its value.
template <class T>
using raced_in_range = std::conditional_t<std::is_void_v<T>, std::size_t, std::pair<std::size_t, or_monostate<T>>>;

void check_not_empty(bool empty);

template <class Range>
task<raced_in_range<range_value<Range>>> race_range(Range works) {
    using value = range_value<Range>;
    joint_scope scope(joint_scope::goal::first);
    std::vector<task_handle<value>> children;
    for (auto& work : works)
        children.push_back(scope.start(race_child(scope, std::move(work))));
    check_not_empty(children.empty());
    co_await all_ended(scope);
    std::size_t first = 0;
    while (!(children[first] == scope.winner()))
        ++first;
    if constexpr (std::is_void_v<value>)
        co_return first;
    else
        co_return raced_in_range<value>(first, std::move(children[first]).take());
}

/// A range of works is given away, unless its elements can be copied, as handles can.
template <class Range>
inline constexpr bool is_given = !std::is_lvalue_reference_v<Range> || std::copy_constructible<std::ranges::range_value_t<Range>>;

/// Tasks that are named have another owner.
template <class A>
inline constexpr bool is_lvalue_task = std::is_lvalue_reference_v<A> && is_task<std::remove_cvref_t<A>>;

/// Several works, or one that is no range of them.
template <class... As>
concept several = sizeof...(As) > 0 && !(sizeof...(As) == 1 && (std::ranges::input_range<As> && ...));

}

/// `co_await gather(a, b)`: runs tasks (or callables, or any awaitables) at once and gives a tuple of their values in this
/// order, std::monostate for void, nothing if all are void. The first error cancels the others, waits for them and leaves as
/// it is; later errors go to the exception hook; a child that others cancelled counts as `task_cancelled` (6.3).
template <class... As>
    requires detail::several<As...>
auto gather(As&&... works) {
    static_assert(!(detail::is_lvalue_task<As> || ...), "corun: a task has one owner: gather(std::move(task))");
    return detail::gather_all<std::decay_t<As>...>(std::forward<As>(works)...);
}

/// The same for a range, a vector of tasks say: gives a vector, or nothing for void.
template <std::ranges::input_range Range>
auto gather(Range&& works) {
    static_assert(detail::is_given<Range>, "corun: tasks have one owner: gather(std::move(tasks))");
    return detail::gather_range<std::remove_cvref_t<Range>>(std::forward<Range>(works));
}

/// `co_await race(a, b)`: the first to end decides; the others are cancelled and waited for. Gives a variant whose index tells
/// which it was (std::monostate for void), or throws that one's error as it is; errors of losers go to the hook (6.3).
template <class... As>
    requires detail::several<As...>
auto race(As&&... works) {
    static_assert(!(detail::is_lvalue_task<As> || ...), "corun: a task has one owner: race(std::move(task))");
    return detail::race_all<std::decay_t<As>...>(std::forward<As>(works)...);
}

/// The same for a range: `auto [index, value] = co_await race(std::move(tasks))`; of tasks without a value, the index alone. An empty range
/// is refused: usage_error(errc::invalid_argument).
template <std::ranges::input_range Range>
auto race(Range&& works) {
    static_assert(detail::is_given<Range>, "corun: tasks have one owner: race(std::move(tasks))");
    return detail::race_range<std::remove_cvref_t<Range>>(std::forward<Range>(works));
}

}
