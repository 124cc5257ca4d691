// task_group.hpp - children that end before their scope does (asyncio.TaskGroup).
#pragma once

#include <corun/detail/children.hpp>
#include <corun/outcome.hpp>
#include <corun/spawn.hpp>
#include <corun/started.hpp>

#include <exception>
#include <functional>
#include <memory>
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

    /// Starts a child and waits until it says that it is ready (Nursery.start): `port = co_await g.start<int>(serve)`. `f` takes a
    /// `started<T>`, then `args`, and returns a task<>. Gives what the child said; from then on it is a child like any other. What ends the
    /// child before leaves here, not from the group: its exception, task_cancelled, or usage_error(errc::not_started) if it just returned.
    /// A request goes to the child and is delivered when that has ended; if the child is ready already, at the next suspension.
    template <class T = void, class F, class... Args>
    task<T> start(F f, Args... args);

    /// Cancels the body and the children and ends the group without an error. A request from outside is not lost by it.
    void cancel() noexcept;

private:
    template <class F>
    friend task<> with_task_group(F body);

    template <class T, class F, class... Args>
    static task<> call(F& f, started<T> ready, Args&... args) {
        co_await std::invoke(f, std::move(ready), std::move(args)...);
    }

    /// The child: what it ends with before it is ready is for the starter alone.
    template <class State, class T, class F, class... Args>
    static task<> run_starting(std::shared_ptr<State> state, F f, Args... args) {
        try {
            co_await call(f, started<T>(state), args...);
        } catch (const cancelled&) {
            throw;
        } catch (...) {
            if (state->is_ready)
                throw;
            state->error = std::current_exception();
        }
    }
    [[noreturn]] static void throw_not_ready();

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

template <class T, class F, class... Args>
task<T> task_group::start(F f, Args... args) {
    using state_type = detail::start_state<std::conditional_t<std::is_void_v<T>, std::monostate, T>>;
    static_assert(std::is_invocable_r_v<task<>, F&, started<T>, Args...>,
                  "what task_group::start() starts takes a started<T> and the arguments, and returns a task<>");
    const auto state = std::make_shared<state_type>();
    const auto child = spawn(run_starting<state_type, T, F, Args...>(state, std::move(f), std::move(args)...));
    const auto at_end = child.on_done([state] { state->over.set(); });
    bool asked = false;
    while (!state->over.is_set()) {
        const outcome<void> wait = co_await settled(state->over.wait());
        if (!wait.is_cancelled())
            continue;
        if (state->is_ready) {
            detail::this_task_state().must_cancel = true;   // it lost against the child: the next await has it
        } else {
            asked = true;
            child.cancel();
        }
    }
    if (!state->is_ready) {
        if (state->error)
            std::rethrow_exception(state->error);
        if (!child.is_cancelled())
            throw_not_ready();
        if (asked)
            throw cancelled{};
        throw task_cancelled{};
    }
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*state->value);
}

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
