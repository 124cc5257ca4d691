// callback.hpp - a function in the ready queue, on a timer or among a task's watchers; cancelled through a handle.
#pragma once

#include <corun/detail/entry.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/timer_heap.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace corun::detail {

/// Calls the current loop's exception hook with the exception that is being handled.
void report_current_exception(const char* where) noexcept;

struct callback : entry {
    enum class verb : std::uint8_t { call, drop, free };
    using actor = void (*)(callback&, verb);

    explicit callback(actor a) noexcept : entry(&run_entry), act(a), timer(*this) {}

    /// Destroys the function; the node goes with its last reference.
    void drop() noexcept {
        if (!std::exchange(dropped, true))
            act(*this, verb::drop);
    }
    void release() noexcept {
        if (--references == 0)
            act(*this, verb::free);
    }

    static void run_entry(entry& e, loop* l) noexcept {
        auto& c = static_cast<callback&>(e);
        if (l && !c.dropped) {
            c.begun = true;
            try {
                c.act(c, verb::call);
            } catch (...) {
                report_current_exception("a callback threw");
            }
        }
        c.drop();
        c.release();
    }

    actor act;
    timer_node timer;
    std::uint32_t references = 1;
    bool begun = false;
    bool dropped = false;
};

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

/// A new callback with one reference, its queue's. Throws std::bad_alloc, or what copying `f` throws.
template <class F>
callback& make_callback(F&& f) {
    using node = callback_of<std::decay_t<F>>;
    static_assert(alignof(node) <= 16, "corun: a callback must not be over-aligned");
    void* const memory = allocate_block(sizeof(node));
    try {
        return *::new (memory) node(std::forward<F>(f));
    } catch (...) {
        free_block(memory, sizeof(node));
        throw;
    }
}

}
