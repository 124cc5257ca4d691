// task_group.hpp - children that end before their scope does (asyncio.TaskGroup).
#pragma once

#include <corun/detail/children.hpp>
#include <corun/outcome.hpp>
#include <corun/spawn.hpp>

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

namespace corun {

class task_group;

/// Runs `body(group)`, a callable that returns a task<>, waits for every child, then returns. The first failure cancels the
/// other children, in the order of their start, and the body. What leaves is an exception_group (children in the order they
/// ended, the body's own error last), or `cancelled` if nothing failed and the request came from outside (6.1).
template <class F>
task<> with_task_group(F body);

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
        auto child = detail::start_any(*parent().owner, this, std::forward<F>(f), std::forward<Args>(args)...);
        child_started();
        return child;
    }

    /// Cancels the body and the children and ends the group without an error. A request from outside is not lost by it.
    void cancel() noexcept;

private:
    template <class F>
    friend task<> with_task_group(F body);

    task_group() : child_scope(detail::this_task_state()), requests_at_entry_(parent().cancel_requests) {}

    void child_ended(detail::task_state& child) noexcept override;
    void abort() noexcept;
    void cancel_parent() noexcept;
    std::uint32_t outside_requests() const noexcept;
    void check_active() const;

    void body_ended(const outcome<void>& left) noexcept;
    void wait_ended_by_request() noexcept;
    void leave(const outcome<void>& left);

    std::vector<std::exception_ptr> errors_;
    std::uint32_t requests_at_entry_;
    std::uint32_t outside_given_ = 0;
    bool outside_pending_ = false;
    bool exiting_ = false;
    bool aborting_ = false;
    bool cancel_called_ = false;
    bool parent_cancel_requested_ = false;
    bool propagates_cancel_ = false;
};

template <class F>
task<> with_task_group(F body) {
    static_assert(std::is_invocable_r_v<task<>, F&, task_group&>, "the body of with_task_group() takes a task_group& and returns a task<>");
    task_group group;
    const outcome<void> left = co_await settled(std::invoke(body, group));
    group.body_ended(left);
    while (group.unfinished() > 0) {
        const bool undisturbed = co_await group.ended();
        if (!undisturbed)
            group.wait_ended_by_request();
    }
    group.leave(left);
}

}
