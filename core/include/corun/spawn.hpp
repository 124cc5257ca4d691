// spawn.hpp - starting tasks.
#pragma once

#include <corun/detail/awaitable.hpp>
#include <corun/detail/call.hpp>
#include <corun/outcome.hpp>
#include <corun/task.hpp>
#include <corun/task_handle.hpp>

#include <exception>
#include <functional>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

[[noreturn]] void throw_closed();

/// Gives the state the values of the code that spawns it. Throws std::bad_alloc.
void copy_locals(task_state& to);

inline void inherit_locals(task_state& t) {
    if (may_have_locals())
        copy_locals(t);
}

/// Makes the state known to the loop and ready for its first step; the first reference is the loop's.
inline void register_task(loop_core& core, task_state& t, scope* within, std::coroutine_handle<> root) noexcept {
    t.core = &core;
    t.id = ++core.registry.last_id;
    t.resume_point = root;
    t.since = core.stamp;
    t.scope = within;
    (within ? within->children : core.registry.free).push_back(t);
    ++core.registry.count;
    core.schedule(t);
}

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
task_handle<T> start_block(loop_core& l, task_block<T>& b, scope* within, task<T>&& t) noexcept {
    const auto root = task_access::release(std::move(t));
    if constexpr (!std::is_void_v<T>)
        root.promise().out = &b.slot;
    register_task(l, b, within, root);
    return task_handle<T>(b);
}

template <class T>
task_handle<T> start_task(loop_core& l, scope* within, task<T>&& t) {
    if (!t)
        throw_usage(errc::already_awaited, "spawn(): this corun::task has been awaited, spawned or moved from already");
    auto* const b = make_block<plain_block<T>>();
    try {
        inherit_locals(*b);
    } catch (...) {
        free_task_block(*b);
        throw;
    }
    return start_block<T>(l, *b, within, std::move(t));
}

/// A task that ends with this in its first step.
template <class T>
task<T> failing(outcome<T> end) {
    co_return std::move(end).value();
}

/// Calls; what the call throws becomes the end of the task that it owes (4.2). Only for want of memory there is no task.
template <class T, class Call>
task<T> task_of(Call call) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        return failing<T>(outcome<T>::of_exception(std::current_exception()));
    }
}

template <class F, class... Args>
auto start_call(loop_core& l, scope* within, F&& f, Args&&... args) {
    using value = called_task_value<F, Args...>;
    using block = called_block<value, std::decay_t<F>, std::decay_t<Args>...>;
    block* const b = make_block<block>(std::forward<F>(f), std::forward<Args>(args)...);
    try {
        inherit_locals(*b);
        task<value> t = task_of<value>([b] {
            return std::apply([b](auto&... as) { return std::invoke(b->made_by().function, std::move(as)...); }, b->made_by().arguments);
        });
        return start_block<value>(l, *b, within, std::move(t));
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
auto start_any(loop_core& l, scope* within, F&& f, Args&&... args) {
    if (l.closed)
        throw_closed();
    if constexpr (sizeof...(Args) == 0 && is_task<std::remove_cvref_t<F>>) {
        static_assert(!std::is_lvalue_reference_v<F>, "corun: a task has one owner: spawn(std::move(task))");
        return start_task(l, within, std::forward<F>(f));
    } else if constexpr (task_callable<F, Args...>) {
        return start_call(l, within, std::forward<F>(f), std::forward<Args>(args)...);
    } else {
        static_assert(!std::invocable<std::decay_t<F>&, Args...> || std::invocable<std::decay_t<F>&, std::decay_t<Args>...>,
                      "corun: the arguments of spawn() are copied into the task: give what the function takes by reference as std::ref(x)");
        static_assert(sizeof...(Args) == 0 && awaitable<std::decay_t<F>>,
                      "corun starts a task, a callable that returns a task, or an awaitable");
        return start_task(l, within, as_task<std::decay_t<F>>(std::forward<F>(f)));
    }
}

}

/// Starts a task in the next turn of the current loop, never here (asyncio.create_task). Takes a callable that returns a
/// task, with its arguments (all are kept as long as the task), a task, or any awaitable. A callable that throws instead gives a task that
/// fails with that. Throws std::bad_alloc and usage_error(errc::no_running_loop) outside a loop.
template <class F, class... Args>
auto spawn(F&& f, Args&&... args) {
    return detail::start_any(detail::this_core(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
}

}
