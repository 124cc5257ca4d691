// inspect.hpp - a look inside: which tasks there are, what each waits for, where, and since when.
#pragma once

#include <corun/loop.hpp>
#include <corun/task_info.hpp>

#include <cstddef>
#include <string>

namespace corun {

/// Coroutine frames that were made on this thread and are still alive.
std::size_t live_frames() noexcept;

/// Every unfinished task of the loop: tasks of a group beneath the task that has the group, the others side by side, in creation order.
/// Loop's thread, at any turn; in release builds too.
task_list task_tree(loop&);

/// The tree as text, a line for each task and beneath it one for each frame (asyncio's print_call_graph). From 16 levels on a line names
/// its level instead of being indented further. Loop's thread.
std::string dump_tasks(loop&);

/// The tree as JSON: an array of objects with the members of task_info; no member that is empty, no line breaks. Loop's thread.
std::string dump_tasks_json(loop&);

}
