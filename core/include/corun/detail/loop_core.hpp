// loop_core.hpp - what a loop consists of, for awaiters and scopes: the ready queue, the timers, the tasks, what is left of the budget.
#pragma once

#include <corun/backend.hpp>
#include <corun/detail/entry.hpp>
#include <corun/detail/intrusive_list.hpp>
#include <corun/detail/timer_heap.hpp>
#include <corun/detail/wait_pacing.hpp>
#include <corun/errors.hpp>
#include <corun/exception_report.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

namespace corun::detail {

class inbox;
class scope;
class thread_pool;
struct generator_promise;
struct generator_tag;
struct registry_tag;
struct task_state;

/// True once a loop of this process has run in debug mode: spares everybody else the further questions.
inline constinit std::atomic<bool> debug_in_use = false;

/// A turn, and the clock when the loop last read it until then, in milliseconds since the loop began.
struct turn_stamp {
    std::uint32_t turn = 0;
    std::uint32_t milliseconds = 0;
};

/// Ready awaits that may go on without the queue, left to a resumption and to a turn (3.2).
struct inline_budget {
    static constexpr int most_per_step = 64;
    static constexpr int most_per_turn = 1024;

    bool is_left() const noexcept { return step > 0 && turn > 0; }
    bool take() noexcept {
        if (!is_left())
            return false;
        --step;
        --turn;
        return true;
    }

    int step = 0;
    int turn = 0;
};

/// Tells a turn by one compare whether something is up before the next entry: an interrupt came, or the loop is to stop.
class attention {
public:
    bool is_wanted(int arrivals) const noexcept { return arrivals != expected_; }

    /// No further resumption: the second interrupt, or the end of shut down's grace.
    bool is_stopped() const noexcept { return stopped_; }
    void stop() noexcept { set(true); }
    void go_on() noexcept { set(false); }

    int arrivals_seen() const noexcept { return seen_; }
    void note_arrivals(int arrivals) noexcept {
        seen_ = arrivals;
        set(stopped_);
    }

private:
    void set(bool stopped) noexcept {
        stopped_ = stopped;
        expected_ = stopped ? -1 : seen_;   // arrivals are never negative
    }

    int expected_ = 0;
    int seen_ = 0;
    bool stopped_ = false;
};

/// A guest's host and the backend: what the host was told, and whose thread is in the backend's block().
struct hosting {
    void (*lent_to)(void*) noexcept = nullptr;   // not null: a host's helper thread may be in block(); ends that
    void* lent_context = nullptr;
    bool sleeps = false;                 // the host was told that there is nothing to do before `deadline`
    bool is_settled = false;             // the backend found nothing in its last wait, and nothing was asked of it since
    time_point deadline = no_deadline;   // the host comes back then
};

/// Everything of a loop that has begun and not ended: its tasks by their scopes, its generators.
struct task_registry {
    intrusive_list<task_state, registry_tag> free;   // unfinished, outside every scope, in creation order
    intrusive_list<scope, registry_tag> scopes;
    intrusive_list<generator_promise, generator_tag> generators;   // begun and not destroyed, in the order of their first values
    std::size_t count = 0;                                         // unfinished tasks
    std::uint64_t last_id = 0;
};

/// What loop_counters tells, and a close is known by.
struct loop_figures {
    std::uint64_t turns = 0;
    std::uint64_t blocking_waits = 0;
    std::uint64_t resumptions = 0;
    std::size_t pending_operations = 0;
    std::size_t operations_on_pool = 0;   // of these
    std::size_t open_handles = 0;
    std::uint64_t handles_closed = 0;
};

/// A loop's calls on other threads.
struct loop_threads {
    std::unique_ptr<thread_pool> pool;   // made when it is first needed
    std::size_t most = 0;                // threads of it; 0: as asyncio
    entry_list calls;                    // simulation: jobs to be made on the loop's thread, in the order of their start
};

struct loop_core {
    /// Puts an entry, which is in no list, at the end of the ready queue.
    void schedule(entry& e) noexcept {
        ready.push_back(e);
        if (hosting.sleeps) [[unlikely]]
            wake_host();
    }

    /// Before a request that a wait may have to tell of, and that must not meet a block(): a close, a cancel, a release.
    void ask_backend() noexcept {
        if (hosting.lent_to) [[unlikely]]
            take_backend_back();
        hosting.is_settled = false;
        if (hosting.sleeps)
            wake_host();
    }

    /// Returns when no other thread is in the backend's block() any more.
    void take_backend_back() noexcept {
        if (hosting.lent_to)
            std::exchange(hosting.lent_to, nullptr)(hosting.lent_context);
    }

    /// A guest's host sleeps until this, and has to come back before it knew.
    void wake_host() noexcept;

    /// True if an await that is ready may go on without suspending.
    bool may_go_on() noexcept { return inline_left.take(); }

    time_point now() const noexcept { return backend->now(); }

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

    entry_list ready;
    detail::hosting hosting;
    task_state* current_task = nullptr;
    std::coroutine_handle<> next_in_place;   // the trampoline's next frame
    inline_budget inline_left;
    timer_heap timers;
    corun::backend* backend = nullptr;
    detail::inbox* inbox = nullptr;
    detail::attention attention;
    wait_pacing pacing;
    bool real_threads = true;   // false: simulation, where nothing comes from outside the loop's thread
    bool forked = false;        // this process is a forked child, the loop is the parent's
    bool closed = false;        // nothing can be started any more
    bool destroying = false;    // frames are being destroyed by force: groups inside count as ended
    bool debug = false;         // looks for slow steps, swallowed requests and the like (10)
    duration slow_step{};       // what a step may take in debug mode
    turn_stamp stamp;           // of this turn
    loop_figures figures;
    task_registry registry;
    loop_threads threads;
    exception_hook hook;
    std::thread::id thread;               // whose loop it is
    std::uint64_t id = 0;                 // of this loop, unique in the process
    entry_list starved;                   // ready once this loop has closed a descriptor: accepts that ran out of them (8.6)
    loop_core* next_existing = nullptr;   // of the list of all loops

private:
    void note_deadline(time_point deadline, time_point current) noexcept {
        if (deadline <= current)
            pacing.look_at_clock();
        if (hosting.sleeps && deadline < hosting.deadline)
            wake_host();
    }
};

/// The core of the loop that runs on this thread, or null. Not inlined: compilers cache thread-locals across suspensions.
loop_core* try_core() noexcept;

/// The core of the guest that lives on this thread, whose host's code runs now; or null.
loop_core* guest_core() noexcept;

/// Whose the code of this thread is from now on; answers whose it was.
loop_core* exchange_core(loop_core*) noexcept;
void set_guest_core(loop_core*) noexcept;

/// From here to there the loop can be found by what outlives loops.
void enter_existing_loops(loop_core&);
void leave_existing_loops(loop_core&) noexcept;

/// As try_core(); throws usage_error: errc::no_running_loop outside a loop, errc::closed_loop in a forked child.
loop_core& this_core();

/// As this_core(); in the code of a guest's host the guest's. For what is synchronous and needs no task.
loop_core& this_core_or_guests();

[[noreturn]] void throw_forked();

/// The loop with this number, of a task that has ended; it may have gone: then throws usage_error, errc::foreign_loop where another loop
/// runs, else errc::closed_loop.
loop_core& loop_of_ended(std::uint64_t id);

/// The task that runs now; throws usage_error(errc::no_running_task) if none does, and as this_core().
task_state& this_task_state();

}
