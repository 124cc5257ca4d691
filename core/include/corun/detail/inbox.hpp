// inbox.hpp - what other threads post to a loop, under a lock of its own.
#pragma once

#include <corun/detail/entry.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace corun {
class backend;
}

namespace corun::detail {

struct loop_core;

/// Shared by a loop and those who hold a loop_ref; outlives the loop.
class inbox {
public:
    inbox(backend& b, loop_core& c) noexcept : backend_(&b), core_(&c) {}

    /// A user's post. Any thread. False once posts are refused: the entry stays the caller's.
    bool post(entry& e) noexcept { return push(e, posts_refused_); }

    /// The end of a pool's job: let in until the loop has closed. Any thread.
    bool push(entry& e) noexcept { return push(e, closed_); }

    /// Moves everything behind `ready`. Loop's thread.
    void take(entry_list& ready) noexcept {
        if (filled_.load(std::memory_order_acquire))
            take_all(ready);
    }

    /// Before a wait that may block: false if something is there. From true on, a push wakes the backend.
    bool prepare_sleep() noexcept;
    void awake() noexcept { asleep_ = false; }

    /// Ends the sleep as a push does, once. Loop's thread.
    void end_sleep() noexcept {
        if (asleep_.exchange(false))
            wake();
    }

    /// From now on a sleep is ended by `call(context)`, on any thread and with no lock held; null: by the backend's wake(). Returns when no
    /// other thread is in the call before. Loop's thread.
    void wake_by(void (*call)(void*) noexcept, void* context) noexcept;

    /// Returns when no other thread is waking the loop any more: after close(), before the backend goes.
    void wait_for_callers() noexcept;

    /// Whose thread the loop is.
    std::thread::id thread() const noexcept { return thread_; }

    /// True if something waits to be taken.
    bool is_filled() const noexcept { return filled_.load(std::memory_order_acquire); }

    /// Lets no post in from now on; true if something is still to be taken.
    bool refuse_posts() noexcept;

    /// Loop's thread.
    bool refuses_posts() const noexcept { return posts_refused_; }

    /// Moves what is left behind `ready` and lets nothing more in.
    void close(entry_list& ready) noexcept;

    /// The loop, or null once it has closed, or if it is a parent's. Loop's thread.
    loop_core* core() const noexcept { return is_of_parent() ? nullptr : core_; }
    void forget_core() noexcept { core_ = nullptr; }

    /// True in a forked child for the loops of its parent.
    bool is_of_parent() const noexcept { return process_ != this_process.load(std::memory_order_relaxed); }
    static void forget_parents() noexcept { this_process.fetch_add(1, std::memory_order_relaxed); }

    void add_reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

private:
    /// A parent's is left alone: no loop of the child's would take it, and its lock may be held for ever.
    bool push(entry& e, const bool& refused) noexcept;
    void wake() noexcept;
    void take_all(entry_list& ready) noexcept;

    std::mutex mutex_;
    entry_list entries_;
    backend* backend_;
    void (*wake_call_)(void*) noexcept = nullptr;
    void* wake_context_ = nullptr;
    std::atomic<bool> filled_ = false;
    std::atomic<bool> asleep_ = false;
    std::atomic<std::uint32_t> callers_ = 0;   // other threads that have decided to wake the loop, and have not returned from it
    loop_core* core_;
    static inline constinit std::atomic<std::uint32_t> this_process = 0;   // counts forks on the way here
    const std::uint32_t process_ = this_process.load(std::memory_order_relaxed);
    const std::thread::id thread_ = std::this_thread::get_id();
    bool posts_refused_ = false;
    bool closed_ = false;
    std::atomic<std::uint32_t> references_ = 1;
};

}
