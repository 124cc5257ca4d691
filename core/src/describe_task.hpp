// describe_task.hpp - a task as a line of text.
#pragma once

#include <corun/detail/promise.hpp>
#include <corun/inspect.hpp>

#include <exception>
#include <source_location>
#include <string>

namespace corun::detail {

/// What a task is, without its children.
task_info look_at(task_state&);

/// `task 3 "session" waits for read at serve (server.cpp:40) in main (server.cpp:88)`
std::string describe_task(task_state&);

/// `serve (server.cpp:40)`
std::string describe_place(const std::source_location&);

/// The exception that `make()` gives, or what keeps it from being made.
template <class F>
std::exception_ptr error_or_reason(F make) noexcept {
    try {
        return std::make_exception_ptr(make());
    } catch (...) {
        return std::current_exception();
    }
}

/// Tells the hook about a task.
void report_task(task_state&, const char* message, const std::exception_ptr& error) noexcept;

}
