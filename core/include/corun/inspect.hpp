// inspect.hpp - a look inside: which tasks there are, what each waits for, where, and since when.
#pragma once

#include <corun/loop.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace corun {

/// Coroutine frames that were made on this thread and are still alive.
std::size_t live_frames() noexcept;

/// What a task does at the moment.
enum class task_status : std::uint8_t { not_started, running, ready, waiting };

/// A coroutine of a task's await chain, and the await at which it stands.
struct frame_info {
    std::string function;
    std::string file;
    unsigned line = 0;
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
    std::vector<frame_info> frames;      ///< innermost first; empty for the running task
    std::vector<task_info> children;     ///< tasks of its groups and gathers, in creation order
};

/// Every unfinished task of the loop: tasks of a group beneath the task that has the group, the others side by side, in creation order.
/// Loop's thread, at any turn; in release builds too.
std::vector<task_info> task_tree(loop&);

/// The tree as text, a line for each task and beneath it one for each frame (asyncio's print_call_graph). Loop's thread.
std::string dump_tasks(loop&);

/// The tree as JSON: an array of objects with the members of task_info; no member that is empty, no line breaks. Loop's thread.
std::string dump_tasks_json(loop&);

}
