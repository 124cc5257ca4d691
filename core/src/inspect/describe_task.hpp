// describe_task.hpp - a task as a line of text.
#pragma once

#include "inspect/describe_place.hpp"

#include <corun/cancel_reason.hpp>
#include <corun/task_info.hpp>

#include <cstdint>
#include <string>

namespace corun::detail {

struct task_state;

/// What a task is, without its children.
task_info look_at(const task_state&);

/// `task 3 "session" waits for read`
std::string text_of(const task_info&);

/// The same with its frames: ` at serve (server.cpp:40) in main (server.cpp:88)`
std::string describe_task(const task_state&);

/// `asked to end 2 times (last: timeout at server.cpp:40)`
std::string text_of_requests(std::uint32_t count, const cancel_reason& last);

}
