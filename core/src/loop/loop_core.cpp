// loop_core.cpp - which loop this thread's code belongs to, and which loops there are; and what stands beneath loops and asks for that.
#include <corun/detail/inbox.hpp>
#include <corun/detail/loop_core.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace corun {
namespace detail {
namespace {

// One word may be reached without a call also from a library that is opened late: the C library keeps some room for that. (The frame pool,
// a thousand bytes, would not fit.)
#if defined(__ELF__)
[[gnu::tls_model("initial-exec")]]
#endif
thread_local loop_core* current_loop = nullptr;

thread_local loop_core* guests_loop = nullptr;

/// The loops that there are, for handles that may have outlived theirs. Its lock is taken when a loop is made or goes, and by a thread that
/// asks outside the loop that it asks for, each time for some instructions. A static object's destructor may run a loop: there before all
/// of them and after, as std::mutex is not on every system.
class existing_loops {
public:
    void lock() noexcept {
        while (taken_.test_and_set(std::memory_order_acquire))
            std::this_thread::yield();
    }
    void unlock() noexcept { taken_.clear(std::memory_order_release); }

    loop_core* first = nullptr;

private:
    std::atomic_flag taken_;
};
constinit existing_loops existing;

}

#if defined(__GNUC__)
__attribute__((noinline))
#endif
loop_core*
try_core() noexcept {
    return current_loop;
}

loop_core* exchange_core(loop_core* l) noexcept { return std::exchange(current_loop, l); }

loop_core* guest_core() noexcept { return guests_loop && !guests_loop->inbox->is_of_parent() ? guests_loop : nullptr; }

void set_guest_core(loop_core* l) noexcept { guests_loop = l; }

namespace {

[[noreturn]] void throw_no_loop() {
    if (guest_core())
        throw_usage(errc::no_running_loop, "no task of this thread's corun::guest runs here, this is its host's code; start one with "
                                           "guest::here()->spawn(f) and await in it");
    throw_usage(errc::no_running_loop, "no corun loop runs on this thread; await inside a task that corun::run() or corun::spawn() runs");
}

}

loop_core& this_core() {
    loop_core* const core = try_core();
    if (!core)
        throw_no_loop();
    if (core->forked)
        throw_forked();
    return *core;
}

loop_core& this_core_or_guests() {
    loop_core* const guests = try_core() ? nullptr : guest_core();
    if (!guests)
        return this_core();
    if (guests->closed)
        throw_usage(errc::closed_loop, "the run of this thread's corun::guest is over, its loop is closed; nothing can be opened on it");
    guests->ask_backend();   // another thread may wait in it
    return *guests;
}

task_state& this_task_state() {
    loop_core& core = this_core();
    if (!core.current_task)
        throw_usage(errc::no_running_task, "no task runs here: this is a callback, or outside the loop's steps");
    return *core.current_task;
}

loop_core& loop_of_ended(std::uint64_t id) {
    loop_core* const here = current_loop;
    if (here && here->forked)
        throw_forked();
    if (!here || here->id != id) {
        const std::lock_guard lock(existing);
        for (loop_core* l = existing.first; l; l = l->next_existing)
            if (l->id == id && !l->closed)
                return *l;
    } else if (!here->closed) {
        return *here;
    }
    if (here && here->id != id)
        throw_usage(errc::foreign_loop,
                    "this task has ended and its loop has been closed; nothing can be registered with it in another run");
    throw_usage(errc::closed_loop,
                "this task has ended and its loop has been closed; its value can be asked for, nothing can be registered with it");
}

void enter_existing_loops(loop_core& l) {
    const std::lock_guard lock(existing);
    l.next_existing = std::exchange(existing.first, &l);
}

void leave_existing_loops(loop_core& l) noexcept {
    const std::lock_guard lock(existing);
    loop_core** place = &existing.first;
    while (*place && *place != &l)   // a forked child has emptied the list
        place = &(*place)->next_existing;
    if (*place)
        *place = l.next_existing;
}

void loop_core::wake_host() noexcept {
    hosting.sleeps = false;
    inbox->end_sleep();
}

void throw_forked() {
    throw_usage(
        errc::closed_loop,
        "this process is a forked child, and the corun loop is its parent's; call corun::run() anew, or exec or _exit right after fork()");
}

}

void note_fork() noexcept {
    detail::inbox::forget_parents();
    detail::debug_in_use = true;            // handles are looked at from now on
    std::construct_at(&detail::existing);   // another thread may have held the lock
    if (detail::loop_core* const parents = detail::current_loop) {
        parents->forked = true;
        parents->closed = true;
        parents->attention.stop();
        parents->id = 0;   // no object belongs to it
    }
}

time_point clock::now() noexcept {
    if (const detail::loop_core* const core = detail::try_core())
        return core->now();
    return time_point(std::chrono::duration_cast<clock::duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}
