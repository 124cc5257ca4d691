// run.hpp - run(): a fresh loop, a coroutine to its end, nothing left behind.
#pragma once

#include <corun/version.hpp>

#include <corun/runner.hpp>

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace corun {

/// Makes an event loop current, runs `f(args...)` (a callable that returns a task, or a task) to its end, cancels and awaits
/// what is left, closes the loop, and gives the value or rethrows what left main (asyncio.run; contract 1). Throws
/// usage_error(errc::nested_run) on a thread whose loop runs, `interrupted` when an interrupt ended main.
template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, run_options>)
auto run(F&& f, Args&&... args) {
    return runner().run_and_close(std::forward<F>(f), std::forward<Args>(args)...);
}

/// The same with options: `run(run_options().shutdown_grace(2s), main)`.
template <class F, class... Args>
auto run(run_options&& options, F&& f, Args&&... args) {
    return runner(std::move(options)).run_and_close(std::forward<F>(f), std::forward<Args>(args)...);
}

namespace detail {

/// The exit code for what left main: 128 + signal for `interrupted`, else prints it and answers 1.
int exit_code_of(std::exception_ptr left) noexcept;

template <class Run>
int exit_code(Run&& run_it) {
    try {
        if constexpr (std::is_void_v<decltype(run_it())>) {
            run_it();
            return 0;
        } else {
            static_assert(std::convertible_to<decltype(run_it()), int>,
                          "corun: run_main() takes a coroutine that returns corun::task<> or corun::task<int>: its value is the exit code");
            return static_cast<int>(run_it());
        }
    } catch (...) {
        return exit_code_of(std::current_exception());
    }
}

}

/// run() for `int main`: `int main() { return corun::run_main(f); }`. Returns main's int (0 for void), 128 + signal after an
/// interrupt, or prints the exception (groups as a tree) to standard error and returns 1 (2.3).
template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, run_options>)
int run_main(F&& f, Args&&... args) {
    return detail::exit_code([&] { return run(std::forward<F>(f), std::forward<Args>(args)...); });
}

/// The same with options.
template <class F, class... Args>
int run_main(run_options&& options, F&& f, Args&&... args) {
    return detail::exit_code([&] { return run(std::move(options), std::forward<F>(f), std::forward<Args>(args)...); });
}

}
