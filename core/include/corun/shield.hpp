// shield.hpp - awaiting a task without passing one's own cancellation on to it (asyncio.shield).
#pragma once

#include <corun/detail/request.hpp>
#include <corun/spawn.hpp>
#include <corun/task_handle.hpp>

#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// Stands among a task's watchers with an entry of its own and wakes its waiter a turn after that: two turns.
class shield_waiter : public memory_waiter {
public:
    explicit shield_waiter(task_state& target) noexcept : target_(&target), release_(*this) { target.add_reference(); }
    std::string_view what() const noexcept override { return "shielded task"; }

protected:
    ~shield_waiter() {
        if (release_.is_linked())
            release_.unlink();
        target_->release();
    }

    bool ready();
    void suspend(task_state& t) noexcept;
    void check_end();
    task_state& target() const noexcept { return *target_; }

private:
    struct release_entry : entry {
        explicit release_entry(shield_waiter& w) noexcept;
        shield_waiter& waiting;
    };

    task_state* target_;
    release_entry release_;
};

/// `Move`: only the shield holds the task, so its value is moved out.
template <class T, bool Move>
class shield_awaiter final : public shield_waiter {
public:
    using value = std::conditional_t<Move, T, std::add_lvalue_reference_t<T>>;

    explicit shield_awaiter(const task_handle<T>& h) noexcept : shield_waiter(h.state()) {}

    bool await_ready() { return ready(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        suspend(suspending_task(h, where));
    }
    value await_resume() {
        check_end();
        if constexpr (!std::is_void_v<T>) {
            auto& slot = static_cast<task_block<T>&>(target()).slot;
            if constexpr (Move)
                return slot.take();
            else
                return slot.get();
        }
    }
};

template <class T, bool Move>
using shield_request = request<shield_awaiter<T, Move>, task_handle<T>>;

}

/// `co_await shield(handle)`: waits for the task and gives T&, or throws its error; a request to the awaiter ends the wait
/// with `cancelled` and leaves the task alone (4.4). `task_cancelled` if the task was cancelled.
template <class T>
detail::shield_request<T, false> shield(const task_handle<T>& handle) {
    return detail::shield_request<T, false>(handle);
}

/// Starts a task (or a callable that returns one, or any awaitable) and shields it: it goes on, owned by the loop, when the
/// awaiter is cancelled. Gives its value.
template <class A>
    requires(!detail::is_task_handle<std::remove_cvref_t<A>>)
auto shield(A&& work) {
    auto handle = spawn(std::forward<A>(work));
    return detail::shield_request<typename decltype(handle)::value_type, true>(std::move(handle));
}

}
