// callback.hpp - a function in the ready queue, on a timer or among a task's watchers; cancelled through a handle.
#pragma once

#include <corun/detail/entry.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/is_task.hpp>
#include <corun/detail/local_values.hpp>
#include <corun/detail/report.hpp>
#include <corun/detail/timer_heap.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace corun::detail {

struct loop_core;

struct callback : entry {
    enum class verb : std::uint8_t { call, drop, free };
    using actor = void (*)(callback&, verb);

    explicit callback(actor a) noexcept : entry(&run_entry), act(a), timer(*this) {}

    /// Destroys the function; the node goes with its last reference.
    void drop() noexcept {
        if (!std::exchange(dropped, true)) {
            act(*this, verb::drop);
            locals.reset();
        }
    }
    void release() noexcept {
        if (--references == 0)
            act(*this, verb::free);
    }

    /// Throws what the function throws.
    void call() {
        if (may_have_locals()) {
            const values_in_use ours(locals);
            act(*this, verb::call);
        } else {
            act(*this, verb::call);
        }
    }

    static void run_entry(entry& e, loop* l) noexcept {
        auto& c = static_cast<callback&>(e);
        if (l && !c.dropped) {
            c.begun = true;
            try {
                c.call();
            } catch (...) {
                report_current_exception("a callback threw");
            }
        }
        c.drop();
        c.release();
    }

    actor act;
    timer_node timer;
    loop_core* timers_of = nullptr;   // whose timer it is, or was
    local_slot locals;                // a copy, made when the function was given
    std::uint32_t references = 1;
    bool begun = false;
    bool dropped = false;
};

template <class F, class... Args>
concept makes_task = std::is_invocable_v<F&, Args...> && is_task<std::remove_cvref_t<std::invoke_result_t<F&, Args...>>>;

/// Fails to compile for a callback that returns a task: nothing would run it.
template <class F, class... Args>
consteval void check_callback() {
    static_assert(!makes_task<F, Args...>, "corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it");
}

template <class F>
struct callback_of final : callback {
    template <class G>
    explicit callback_of(G&& g) : callback(&act_on) {
        ::new (static_cast<void*>(storage)) F(std::forward<G>(g));
    }

    F& function() noexcept { return *std::launder(reinterpret_cast<F*>(storage)); }

    static void act_on(callback& c, verb v) {
        auto& self = static_cast<callback_of&>(c);
        switch (v) {
        case verb::call: self.function()(); break;
        case verb::drop: std::destroy_at(&self.function()); break;
        case verb::free:
            self.~callback_of();
            free_block(&self, sizeof(callback_of));
            break;
        }
    }

    alignas(F) std::byte storage[sizeof(F)];
};

/// A new callback with one reference, its queue's. Throws std::bad_alloc, or what copying `f` or a value of a task_local throws.
template <class F>
callback& make_callback(F&& f) {
    check_callback<std::decay_t<F>>();
    using node = callback_of<std::decay_t<F>>;
    static_assert(alignof(node) <= 16, "corun: a callback must not be over-aligned");
    local_slot locals = inherited_values();
    void* const memory = allocate_block(sizeof(node));
    try {
        callback& made = *::new (memory) node(std::forward<F>(f));
        made.locals = std::move(locals);
        return made;
    } catch (...) {
        free_block(memory, sizeof(node));
        throw;
    }
}

}
