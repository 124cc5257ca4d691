// run_options.hpp - what run() and runner can be told.
#pragma once

#include <corun/backend.hpp>
#include <corun/clock.hpp>
#include <corun/loop.hpp>
#include <corun/task_handle.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace corun {

/// Options of a run. Each setter returns the object: `run(run_options().shutdown_grace(2s), main)`. Moves only.
class run_options {
public:
    run_options() noexcept = default;
    run_options(run_options&&) noexcept = default;
    run_options& operator=(run_options&&) noexcept = default;

    /// Runs on this backend instead of the one that was linked as the default.
    run_options&& with(std::unique_ptr<backend> made) && noexcept {
        backend_ = std::move(made);
        return std::move(*this);
    }

    /// Where the system refuses the default backend (backend_unavailable), `make` gives the one to run on: `fall_back_to(&make_epoll)`.
    /// Without it run() throws, as it does when the system is out of descriptors or memory. No effect beside with().
    run_options&& fall_back_to(std::unique_ptr<backend> (*make)()) && noexcept {
        fall_back_ = make;
        return std::move(*this);
    }

    /// Bounds the time that cancelled left-overs get at the end; then they are reported and destroyed. Default: no bound (1.3).
    run_options&& shutdown_grace(duration d) && noexcept {
        shutdown_grace_ = d;
        return std::move(*this);
    }

    /// Bounds the wait for running to_thread() jobs at the end. Default: 5 minutes (asyncio's default for its executor).
    run_options&& pool_grace(duration d) && noexcept {
        pool_grace_ = d;
        return std::move(*this);
    }

    /// How many threads to_thread() has at most, at least 1. Calls beyond that wait for a thread. Calls that themselves wait for tasks
    /// which need a thread want more than there are of them, or none goes on; debug mode says when all are taken. Default: 4 more than the
    /// machine has processors, at most 32 (asyncio's default).
    run_options&& pool_threads(std::size_t most) && noexcept {
        pool_threads_ = most > 0 ? most : 1;
        return std::move(*this);
    }

    /// False: SIGINT is left alone. Default: handled if its disposition is the default one (2.1); in a guest, left alone.
    run_options&& handle_interrupts(bool yes) && noexcept {
        handle_interrupts_ = yes;
        return std::move(*this);
    }

    /// True: the request to terminate (SIGTERM) counts as an interrupt too. Default: false.
    run_options&& stop_on_termination(bool yes) && noexcept {
        stop_on_termination_ = yes;
        return std::move(*this);
    }

    /// Simulation: true lets other threads take part: to_thread() uses real ones, posts are waited for, and nothing is called a deadlock.
    /// The run can't be repeated step by step then. No effect on other backends. Default: false.
    run_options&& real_threads(bool yes) && noexcept {
        real_threads_ = yes;
        return std::move(*this);
    }

    /// True: debug mode (loop.set_debug): steps of more than slow_step(), tasks that were never awaited, requests that were swallowed,
    /// locks given up by another task, and use from another thread are found; the exception hook is told, or usage_error thrown. Default:
    /// false, true if the environment says CORUN_DEBUG=1.
    run_options&& debug(bool yes) && noexcept {
        debug_ = yes;
        return std::move(*this);
    }

    /// How long a step may take before debug mode reports it (loop.slow_callback_duration). Default: 100 ms.
    run_options&& slow_step(duration d) && noexcept {
        slow_step_ = d;
        return std::move(*this);
    }

    /// True: SIGQUIT (Ctrl-\\) prints the tree of tasks to standard error, and the loop goes on; only where its disposition is the default
    /// one and interrupts are handled. Default: false.
    run_options&& dump_on_quit(bool yes) && noexcept {
        dump_on_quit_ = yes;
        return std::move(*this);
    }

    /// Sets the loop's exception hook from the start, shut down included.
    run_options&& on_exception(exception_hook hook) && {
        hook_ = std::move(hook);
        return std::move(*this);
    }
    template <detail::makes_task<const exception_report&> F>
    run_options&& on_exception(F) && {
        detail::check_callback<F, const exception_report&>();
        return std::move(*this);
    }

    /// Called at the beginning of each round of shut down with the tasks that are about to be cancelled, in creation order.
    run_options&& on_leftovers(std::function<void(const std::vector<task_ref>&)> hook) && {
        leftovers_hook_ = std::move(hook);
        return std::move(*this);
    }
    template <detail::makes_task<const std::vector<task_ref>&> F>
    run_options&& on_leftovers(F) && {
        detail::check_callback<F, const std::vector<task_ref>&>();
        return std::move(*this);
    }

private:
    friend class runner;
    friend class guest;

    std::unique_ptr<backend> backend_;
    std::unique_ptr<backend> (*fall_back_)() = nullptr;
    std::optional<duration> shutdown_grace_;
    duration pool_grace_ = std::chrono::minutes(5);
    duration slow_step_ = std::chrono::milliseconds(100);
    std::size_t pool_threads_ = 0;   // 0: the default
    exception_hook hook_;
    std::function<void(const std::vector<task_ref>&)> leftovers_hook_;
    std::optional<bool> handle_interrupts_;
    bool stop_on_termination_ = false;
    bool real_threads_ = false;
    bool dump_on_quit_ = false;
    std::optional<bool> debug_;
};

}
