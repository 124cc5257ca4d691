// task_info.hpp - what can be known of a task from outside.
#pragma once

#include <corun/cancel_reason.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace corun {

/// What a task does at the moment.
enum class task_status : std::uint8_t { not_started, running, ready, waiting };

/// A coroutine of a task's await chain, and the await at which it stands.
struct frame_info {
    std::string function;
    std::string file;
    unsigned line = 0;
};

struct task_info;

/// Tasks side by side. Goes without a call inside a call, however deep the tasks beneath them are nested.
class task_list : public std::vector<task_info> {
public:
    using std::vector<task_info>::vector;
    task_list() noexcept = default;
    task_list(const task_list&) = default;
    task_list(task_list&&) noexcept = default;
    task_list& operator=(const task_list&) = default;
    task_list& operator=(task_list&&) noexcept = default;
    ~task_list();
};

/// An unfinished task.
struct task_info {
    std::uint64_t id = 0;
    std::string name;
    task_status status = task_status::not_started;
    std::string waits_for;               ///< "read", "event", "task"; empty unless it waits
    std::uint64_t waits_for_task = 0;    ///< the id of the task it joins; 0 if it joins none
    std::uint32_t since_turn = 0;        ///< the turn in which it came to where it stands
    std::chrono::milliseconds since{};   ///< that turn's reading of the clock, from the loop's beginning
    std::uint32_t cancel_requests = 0;   ///< requests to end that were not taken back
    cancel_reason why;                   ///< who made the last of these, and where
    std::vector<frame_info> frames;      ///< innermost first; empty for the running task
    task_list children;                  ///< tasks of its groups and gathers, in creation order
};

}
