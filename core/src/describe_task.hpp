// describe_task.hpp - a task as a line of text.
#pragma once

#include <corun/detail/promise.hpp>

#include <string>

namespace corun::detail {

std::string describe_task(task_state&);

/// Tells the hook about a task.
void report_task(task_state&, const char* message, const std::exception_ptr& error) noexcept;

}
