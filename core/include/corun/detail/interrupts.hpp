// interrupts.hpp - what a loop does about Ctrl-C: the first cancels main, the second stops the loop, in shut down the second ends it
// (2.1, 2.2).
#pragma once

#include <corun/backend.hpp>

#include <atomic>

namespace corun::detail {

struct loop_core;
struct task_state;

class interrupts {
public:
    explicit interrupts(backend& b) noexcept { counter_.to_wake = &b; }

    /// From here to there handlers count; `termination`: those of SIGTERM, too.
    void catch_them(bool termination) noexcept;
    void release() noexcept;

    void print_tasks_on_quit(bool yes) noexcept { counter_.quit = yes; }

    /// The task that the first interrupt from now on cancels.
    void begin_main(task_state& main) noexcept {
        main_ = &main;
        of_main_ = 0;
    }
    void begin_shut_down() noexcept;

    /// How many signals have come; one that the loop has not seen is something to look at.
    int arrivals() const noexcept { return counter_.arrivals.load(std::memory_order_relaxed); }

    /// Cancels main, or stops the loop.
    void look(loop_core&) noexcept;

    bool met_main() const noexcept { return of_main_ > 0; }
    bool met_shut_down() const noexcept { return of_shut_down_ > 0; }

    /// The number of the last one.
    int signal() const noexcept { return counter_.signal; }

private:
    interrupt_counter counter_;
    int seen_ = 0;
    int dumps_seen_ = 0;
    int of_main_ = 0;
    int of_shut_down_ = 0;
    bool are_caught_ = false;
    bool shutting_down_ = false;
    task_state* main_ = nullptr;
};

}
