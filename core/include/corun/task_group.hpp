// task_group.hpp - children that end before their scope does (asyncio.TaskGroup).
#pragma once

#include <corun/detail/children.hpp>
#include <corun/outcome.hpp>
#include <corun/spawn.hpp>
#include <corun/started.hpp>

#include <exception>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace corun {

class task_group;

/// Runs `body(group)`, a callable that returns a task<>, waits for every child, then returns. The first failure cancels the
/// other children, in the order of their start, and the body. What leaves is an exception_group (children in the order they
/// ended, the body's own error last), or `cancelled` if nothing failed and the request came from outside (6.1).
template <class F>
task<> with_task_group(F body, std::source_location where = std::source_location::current());

/// The group that with_task_group() gives its body. Belongs to the loop's thread.
class task_group final : private detail::child_scope {
public:
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;

    /// Terminates the process, with a message, while children run: their scope must outlive them.
    ~task_group();

    /// Starts a child, as corun::spawn() does; any task of the loop may. Throws usage_error(errc::group_not_active) once the
    /// group has ended or is ending after a failure: the task is then destroyed unstarted. A child's error is the group's.
    template <class F, class... Args>
    auto spawn(F&& f, Args&&... args) {
        check_active();
        auto child = detail::start_any(*parent().core, this, std::forward<F>(f), std::forward<Args>(args)...);
        child_started();
        return child;
    }

    /// Starts a child and waits until it says that it is ready (Nursery.start): `port = co_await g.start<int>(serve)`. `f` takes a
    /// `started<T>`, then `args`, and returns a task<>. Gives what the child said; from then on it is a child like any other. What ends the
    /// child before leaves here, not from the group: its exception, task_cancelled, or usage_error(errc::no_value) if it just returned.
    /// A request goes to the child and is delivered when that has ended; if the child is ready already, at the next suspension.
    template <class T = void, class F, class... Args>
    task<T> start(F f, Args... args);

    /// Cancels the body and the children and ends the group without an error. A request from outside is not lost by it.
    void cancel(std::source_location where = std::source_location::current()) noexcept;

private:
    template <class F>
    friend task<> with_task_group(F body, std::source_location where);

    // A request that no await has been given yet will be delivered inside: it counts as one that came after the entry.
    explicit task_group(const std::source_location& where)
        : child_scope(detail::this_task_state()), where_(where), requests_at_entry_(parent().cancel_requests) {
        if (parent().has_request() && requests_at_entry_ > 0)
            --requests_at_entry_;
    }

    void child_ended(detail::task_state& child) noexcept override;
    void note_start(detail::start_record& record, const detail::task_state& child) noexcept;
    bool is_starting(const detail::task_state& child) noexcept;
    void abort(const cancel_reason&) noexcept;
    void cancel_parent(const cancel_reason&) noexcept;
    cancel_reason failure() const noexcept { return {cancel_origin::failed_group, where_}; }
    cancel_reason request_or_failure(bool is_request) const noexcept;
    std::uint32_t outside_requests() const noexcept;
    void check_active() const;

    void body_ended(const outcome<void>& left) noexcept;
    void wait_ended_by_request() noexcept;
    void leave(const outcome<void>& left);

    std::source_location where_;     // of the call of with_task_group()
    cancel_reason own_request_;      // of the group's request to its own task,
    cancel_reason request_before_;   // and of the one that it took the place of
    std::vector<std::exception_ptr> errors_;
    detail::intrusive_list<detail::start_record, detail::start_tag> starting_;   // what these end with is for their starters alone
    // As in asyncio's taskgroups.py: what has happened, in the order in which it may.
    std::uint32_t requests_at_entry_;
    bool aborting_ = false;                  // the children have been asked to end, and none can be started any more
    bool cancel_called_ = false;             // by cancel(): a quiet end
    bool parent_cancel_requested_ = false;   // the group has asked its own task to end, once; taken back at the end
    bool outside_pending_ = false;           // a request from outside was pending then: one exception delivers both
    bool exiting_ = false;                   // the body has ended
    std::uint32_t outside_given_ = 0;        // requests from outside that the body was given
    bool propagates_cancel_ = false;         // the body or the wait ended with a request: it leaves, unless it was the group's own
};

template <class T, class F, class... Args>
task<T> task_group::start(F f, Args... args) {
    static_assert(std::is_invocable_r_v<task<>, F&, started<T>, Args...>,
                  "what task_group::start() starts takes a started<T> and the arguments, and returns a task<>");
    detail::start_record_of<std::conditional_t<std::is_void_v<T>, std::monostate, T>> record;
    const auto child = spawn(std::move(f), started<T>(record), std::move(args)...);
    note_start(record, child.state());
    co_await detail::start_join(child.state(), record);
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*record.value);
}

template <class F>
task<> with_task_group(F body, std::source_location where) {
    static_assert(std::is_invocable_r_v<task<>, F&, task_group&>, "the body of with_task_group() takes a task_group& and returns a task<>");
    task_group group(where);
    const auto call = [&body, &group]() -> task<> { return std::invoke(body, group); };
    const outcome<void> left = co_await settled(call);
    group.body_ended(left);
    while (group.unfinished() > 0) {
        const bool undisturbed = co_await group.ended();
        if (!undisturbed)
            group.wait_ended_by_request();
    }
    group.leave(left);
}

}
