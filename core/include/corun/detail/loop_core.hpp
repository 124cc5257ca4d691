// loop_core.hpp - the part of a loop that awaiters touch: the ready queue, the timers, who runs, what is left of the budget.
#pragma once

#include <corun/backend.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/detail/timer_heap.hpp>
#include <corun/errors.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace corun::detail {

class inbox;
struct generator_promise;
struct generator_tag;

struct loop_core {
    /// Ready awaits in a row without going through the queue, per resumption and per turn (3.2).
    static constexpr int inline_per_step = 64;
    static constexpr int inline_per_turn = 1024;

    /// Puts an entry, which is in no list, at the end of the ready queue.
    void schedule(entry& e) noexcept {
        ready.push_back(e);
        if (host_sleeps) [[unlikely]]
            wake_host();
    }

    /// Before a request that a wait may have to tell of, and that must not meet a block(): a close, a cancel, a release.
    void ask_backend() noexcept {
        if (lent_to) [[unlikely]]
            take_backend_back();
        backend_is_settled = false;
        if (host_sleeps)
            wake_host();
    }

    /// Returns when no other thread is in the backend's block() any more.
    void take_backend_back() noexcept {
        if (lent_to)
            std::exchange(lent_to, nullptr)(lent_context);
    }

    /// A guest's host sleeps until this, and has to come back before it knew.
    void wake_host() noexcept;

    /// True if an await that is ready may go on without suspending.
    bool may_go_on() noexcept {
        if (inline_left <= 0)
            return false;
        --inline_left;
        --turn_inline_left;
        return true;
    }

    time_point now() const noexcept { return engine->now(); }

    /// Arms a timer; a deadline that has come already is looked at in the next turn. Throws std::bad_alloc.
    void arm(timer_node& node, time_point deadline, time_point current) {
        timers.insert(node, deadline);
        note_deadline(deadline, current);
    }
    /// The same with room that is kept for shut down.
    void arm_spare(timer_node& node, time_point deadline, time_point current) noexcept {
        timers.insert_spare(node, deadline);
        note_deadline(deadline, current);
    }
    void disarm(timer_node& node) noexcept { timers.remove(node); }

    /// Calls `f(task)` for every unfinished task: those of one owner after another's, each owner's in creation order.
    template <class F>
    void for_each_task(F f) {
        free_tasks.for_each(f);
        owners.for_each([&f](child_owner& o) { o.children.for_each(f); });
    }

    entry_list ready;
    void (*lent_to)(void*) noexcept = nullptr;   // not null: a host's helper thread may be in the backend's block(); ends that
    void* lent_context = nullptr;
    bool host_sleeps = false;          // a guest's host was told that there is nothing to do before `host_deadline`
    bool backend_is_settled = false;   // it found nothing in its last wait, and nothing was asked of it since
    task_state* current_task = nullptr;
    std::coroutine_handle<> next_in_place;   // the trampoline's next frame
    int inline_left = 0;
    int turn_inline_left = 0;
    timer_heap timers;
    backend* engine = nullptr;
    inbox* box = nullptr;
    time_point host_deadline = no_deadline;
    bool look_at_clock = false;
    bool real_threads = true;   // false: simulation, where nothing comes from outside the loop's thread
    bool forked = false;        // this process is a forked child, the loop is the parent's
    bool closed = false;        // nothing can be started any more
    bool destroying = false;    // frames are being destroyed by force: groups inside count as ended
    std::uint64_t id = 0;       // of this loop, unique in the process
    std::uint64_t turns = 0;
    turn_stamp stamp;         // of this turn
    bool debug = false;       // looks for slow steps, swallowed requests and the like (10)
    std::thread::id thread;   // whose loop it is
    std::uint64_t blocking_waits = 0;
    std::uint64_t resumptions = 0;
    std::uint64_t next_task_id = 0;
    std::size_t tasks = 0;
    std::size_t pending_operations = 0;
    std::size_t open_handles = 0;
    std::uint64_t handles_closed = 0;
    entry_list calls;     // simulation: pool jobs to be made on this thread, in the order of their start
    entry_list starved;   // ready once this loop has closed a descriptor: accepts that ran out of them (8.6)
    intrusive_list<task_state, registry_tag> free_tasks;   // unfinished, without an owner, in creation order
    intrusive_list<child_owner, registry_tag> owners;
    intrusive_list<generator_promise, generator_tag> generators;   // begun and not destroyed, in the order of their first values

private:
    void note_deadline(time_point deadline, time_point current) noexcept {
        if (deadline <= current)
            look_at_clock = true;
        if (host_sleeps && deadline < host_deadline)
            wake_host();
    }
};

/// The core of the loop that runs on this thread, or null. Not inlined: compilers cache thread-locals across suspensions.
loop_core* try_core() noexcept;

/// The core of the guest that lives on this thread, whose host's code runs now; or null.
loop_core* guest_core() noexcept;

/// As try_core(); throws usage_error: errc::not_started outside a loop, errc::closed_loop in a forked child.
loop_core& this_core();

[[noreturn]] void throw_forked();

/// The task that runs now; throws usage_error(errc::not_started) if none does.
task_state& this_task_state();

loop_core& core_of(loop&) noexcept;
inline loop_core& core_of(loop_core& core) noexcept { return core; }

}
