// spawn.hpp - starting tasks.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/task.hpp>
#include <corun/task_handle.hpp>

#include <functional>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// The value type of a task.
template <class Task>
using task_value = typename std::remove_cvref_t<Task>::value_type;

/// A callable with arguments whose call gives a task.
template <class F, class... Args>
concept task_callable = std::invocable<std::decay_t<F>&, std::decay_t<Args>...> &&
                        is_task<std::remove_cvref_t<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>>;

template <class F, class... Args>
using called_task_value = task_value<std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>...>>;

[[noreturn]] void throw_closed();

/// Gives the state the spawning task's local values. Throws std::bad_alloc.
void copy_locals(const task_extras& from, task_state& to);

inline void inherit_locals(const loop_core& core, task_state& t) {
    if (core.current_task && core.current_task->extras)
        copy_locals(*core.current_task->extras, t);
}

/// Makes the state known to the loop and ready for its first step; the first reference is the loop's.
void register_task(loop_core&, task_state&, child_owner*, std::coroutine_handle<> root) noexcept;

template <class Block>
void free_task_block(Block& b) noexcept {
    b.~Block();
    free_block(&b, sizeof(Block));
}

/// A state with the callable that made the task: a lambda's captures live as long as its coroutine, however long handles do.
template <class T, class F, class... Args>
struct called_block final : task_block<T> {
    struct call {
        template <class G, class... As>
        explicit call(G&& g, As&&... as) : function(std::forward<G>(g)), arguments(std::forward<As>(as)...) {}

        [[no_unique_address]] F function;
        [[no_unique_address]] std::tuple<Args...> arguments;
    };

    template <class G, class... As>
    explicit called_block(G&& g, As&&... as) : task_block<T>(&act_on) {
        ::new (static_cast<void*>(storage)) call(std::forward<G>(g), std::forward<As>(as)...);
        this->has_call = !std::is_trivially_destructible_v<call>;
    }

    call& made_by() noexcept { return *std::launder(reinterpret_cast<call*>(storage)); }

    static void act_on(task_state& t, task_state::verb v) noexcept {
        auto& b = static_cast<called_block&>(t);
        if (v == task_state::verb::drop_call) {
            std::destroy_at(&b.made_by());
        } else {
            b.drop_call();   // one that could not be started
            free_task_block(b);
        }
    }

    alignas(call) std::byte storage[sizeof(call)];
};

template <class T>
struct plain_block final : task_block<T> {
    plain_block() noexcept : task_block<T>(&act_on) {}
    static void act_on(task_state& t, task_state::verb) noexcept { free_task_block(static_cast<plain_block&>(t)); }
};

template <class Block, class... Args>
Block* make_block(Args&&... args) {
    static_assert(alignof(Block) <= 16, "corun: arguments of spawn must not be over-aligned");
    void* const memory = allocate_block(sizeof(Block));
    try {
        return ::new (memory) Block(std::forward<Args>(args)...);
    } catch (...) {
        free_block(memory, sizeof(Block));
        throw;
    }
}

template <class T>
task_handle<T> start_block(loop_core& l, task_block<T>& b, child_owner* owner, task<T>&& t) noexcept {
    const auto root = task_access::release(std::move(t));
    if constexpr (!std::is_void_v<T>)
        root.promise().out = &b.slot;
    register_task(l, b, owner, root);
    return task_handle<T>(b);
}

template <class T>
task_handle<T> start_task(loop_core& l, child_owner* owner, task<T>&& t) {
    if (!t)
        throw_usage(errc::not_started, "spawn(): this corun::task has been awaited, spawned or moved from already");
    auto* const b = make_block<plain_block<T>>();
    try {
        inherit_locals(l, *b);
    } catch (...) {
        free_task_block(*b);
        throw;
    }
    return start_block<T>(l, *b, owner, std::move(t));
}

template <class F, class... Args>
auto start_call(loop_core& l, child_owner* owner, F&& f, Args&&... args) {
    using value = called_task_value<F, Args...>;
    using block = called_block<value, std::decay_t<F>, std::decay_t<Args>...>;
    block* const b = make_block<block>(std::forward<F>(f), std::forward<Args>(args)...);
    try {
        inherit_locals(l, *b);
        task<value> t =
            std::apply([b](auto&... as) { return std::invoke(b->made_by().function, std::move(as)...); }, b->made_by().arguments);
        return start_block<value>(l, *b, owner, std::move(t));
    } catch (...) {
        b->act(*b, task_state::verb::free);
        throw;
    }
}

/// Any awaitable as a task.
template <class A>
task<std::remove_cvref_t<await_result<A>>> as_task(A awaitable)
    requires(!std::is_reference_v<A>)
{
    co_return co_await std::move(awaitable);
}

/// A task as it is; a callable called; any other awaitable wrapped.
template <class F, class... Args>
auto start_any(loop_core& l, child_owner* owner, F&& f, Args&&... args) {
    if (l.closed)
        throw_closed();
    if constexpr (sizeof...(Args) == 0 && is_task<std::remove_cvref_t<F>>) {
        static_assert(!std::is_lvalue_reference_v<F>, "a task has one owner: spawn(std::move(task))");
        return start_task(l, owner, std::forward<F>(f));
    } else if constexpr (task_callable<F, Args...>) {
        return start_call(l, owner, std::forward<F>(f), std::forward<Args>(args)...);
    } else {
        static_assert(sizeof...(Args) == 0 && awaitable<std::decay_t<F>>,
                      "corun starts a task, a callable that returns a task, or an awaitable");
        return start_task(l, owner, as_task<std::decay_t<F>>(std::forward<F>(f)));
    }
}

}

/// Starts a task in the next turn of the current loop, never here (asyncio.create_task). Takes a callable that returns a
/// task, with its arguments (all are kept as long as the task), a task, or any awaitable. Throws std::bad_alloc and
/// usage_error(errc::not_started) outside a loop.
template <class F, class... Args>
auto spawn(F&& f, Args&&... args) {
    return detail::start_any(detail::this_core(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

}
