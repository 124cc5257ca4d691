// wait.hpp - waiting for several tasks without touching them (asyncio.wait).
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/request.hpp>
#include <corun/task_handle.hpp>

#include <concepts>
#include <cstdint>
#include <deque>
#include <ranges>
#include <utility>
#include <vector>

namespace corun {

/// When wait() answers (asyncio's word).
enum class return_when : std::uint8_t {
    all,           ///< every task has ended
    first,         ///< one has ended (FIRST_COMPLETED)
    first_error,   ///< one has ended with an exception that is not `cancelled`, or all have ended (FIRST_EXCEPTION)
};

/// What wait() answers: the tasks that have ended and the others, each in the order they were given.
struct wait_result {
    wait_result() = default;
    std::vector<task_ref> done;      ///< have ended
    std::vector<task_ref> pending;   ///< have not
};

namespace detail {

class wait_awaiter final : public memory_waiter {
public:
    wait_awaiter(std::vector<task_ref>&& tasks, return_when when, duration bound);
    ~wait_awaiter();

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        suspend(suspending_task(h, where));
    }
    wait_result await_resume();
    std::string_view what() const noexcept override { return "tasks"; }

private:
    struct release_entry : entry {
        release_entry(wait_awaiter& w, task_state& t) noexcept;
        wait_awaiter& waiting;
        task_state& target;
    };
    struct due_entry : entry {
        explicit due_entry(wait_awaiter& w) noexcept;
        wait_awaiter& waiting;
    };

    void suspend(task_state& t);
    void ended(task_state& target) noexcept;
    void take_back_entries() noexcept;

    std::vector<task_ref> tasks_;
    std::deque<release_entry> releases_;
    std::size_t left_ = 0;
    return_when when_;
    duration bound_;
    due_entry due_;
    timer_node timer_;
    loop_core* timers_of_ = nullptr;   // a frame may be destroyed where no loop runs
};

class [[nodiscard("nothing happens until it is awaited")]] wait_request
    : public request<wait_awaiter, std::vector<task_ref>, return_when, duration> {
public:
    wait_request(std::vector<task_ref> tasks, return_when when) : request(std::move(tasks), when, duration::max()) {}

    /// Answers at the latest when `d` has passed since the await; nothing is thrown or cancelled then.
    template <class Rep, class Period>
    wait_request within(std::chrono::duration<Rep, Period> d) && {
        std::get<duration>(stored) = saturating_nanoseconds(d);
        return std::move(*this);
    }
};

}

/// `co_await wait(a, b)`: waits until all of these tasks have ended, however they end; never cancels and never throws their
/// errors. Suspends also if they have ended already, as asyncio does. A request ends the wait with `cancelled`.
template <std::convertible_to<task_ref>... Handles>
    requires(sizeof...(Handles) > 0)
detail::wait_request wait(const Handles&... handles) {
    std::vector<task_ref> tasks;
    tasks.reserve(sizeof...(handles));
    (tasks.push_back(handles), ...);
    return {std::move(tasks), return_when::all};
}

/// The same for a range of handles, until all, the first, or the first error; `.within(d)` bounds it.
template <std::ranges::input_range Range>
    requires std::convertible_to<std::ranges::range_reference_t<Range>, task_ref>
detail::wait_request wait(Range&& handles, return_when when = return_when::all) {
    std::vector<task_ref> tasks;
    for (auto&& h : handles)
        tasks.push_back(h);
    return {std::move(tasks), when};
}

}
