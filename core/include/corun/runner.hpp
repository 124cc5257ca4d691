// runner.hpp - run() in pieces: several runs on one loop (asyncio.Runner).
#pragma once

#include <corun/run_options.hpp>
#include <corun/spawn.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace corun {

/// Runs one main after another on one loop. What a main leaves behind goes on in the next run and is cancelled by close()
/// (1.6). Belongs to the thread that made it; a loop is current only inside run() and close().
class runner {
public:
    /// Makes the backend and the loop. Throws usage_error(errc::nested_run) inside a running loop, std::system_error if the
    /// backend is refused.
    explicit runner(run_options options = {}) : runner(std::move(options), &make_default_backend) {}
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;

    /// As close(); inside its own run it prints that it can't, and ends the program.
    ~runner();

    /// Runs a task, or a callable that returns one, to its end; gives its value or rethrows what left it. An interrupt
    /// cancels it and leaves as `interrupted` (2.1). Throws usage_error(errc::nested_run) inside a running loop and
    /// errc::closed_loop after close(), before it touches the task.
    template <class F, class... Args>
    auto run(F&& f, Args&&... args) {
        begin_run();
        return finish(start(std::forward<F>(f), std::forward<Args>(args)...), false);
    }

    /// As run(), but shuts the loop down before it gives the value: what corun::run() is made of.
    template <class F, class... Args>
    auto run_and_close(F&& f, Args&&... args) {
        begin_run();
        return finish(start(std::forward<F>(f), std::forward<Args>(args)...), true);
    }

    /// Cancels and awaits what is left, closes the loop (1.3). Idempotent; called by the destructor. Throws usage_error(errc::nested_run)
    /// in a task or callback of this runner's own, whose end it would wait for.
    void close();

    /// The loop, also between runs: for post(), ref() and counters(). Null once closed.
    loop* current_loop() const noexcept { return loop_.get(); }

private:
    friend class guest;

    template <class F, class... Args>
    auto start(F&& f, Args&&... args) {
        static_assert((sizeof...(Args) == 0 && detail::is_task<std::remove_cvref_t<F>>) || detail::task_callable<F, Args...>,
                      "corun::run() takes a corun::task, or a callable that returns one and its arguments");
        try {
            return detail::start_any(detail::this_core(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
        } catch (...) {
            abandon_run();
            throw;
        }
    }

    template <class T>
    T finish(task_handle<T> main, bool closing) {
        drive(main.state(), closing);
        return std::move(main).take();
    }

    // The default is named in the user's program, so that its linker takes it from the library that was chosen.
    runner(run_options&& options, std::unique_ptr<backend> (*make_default)());

    void begin_run();
    void abandon_run() noexcept;
    void drive(detail::task_state& main, bool closing);
    void check_not_forked();
    bool is_running() const noexcept { return loop_ && loop::try_current() == loop_.get(); }
    void close_now() noexcept;

    std::unique_ptr<loop> loop_;
    loop* outer_ = nullptr;   // current before: none, or a parent's in a forked child
    std::optional<duration> shutdown_grace_;
    duration pool_grace_;
    bool handle_interrupts_;
    bool stop_on_termination_;
};

}
