// inspect.cpp - tasks as text.
#include <corun/inspect.hpp>
#include <corun/task_handle.hpp>

#include "describe_task.hpp"

namespace corun {

std::size_t live_frames() noexcept { return detail::live_frames(); }

std::string dump_tasks(loop& l) {
    std::string text;
    for (const task_ref& t : l.all_tasks())
        text += detail::describe_task(t.state()) + "\n";
    return text;
}

namespace detail {

std::string describe_task(task_state& t) {
    std::string text = "task " + std::to_string(t.id);
    if (t.extras && !t.extras->name.empty())
        text += " \"" + t.extras->name + "\"";
    if (t.waiting_on)
        text += " waits for: " + std::string(t.waiting_on->what());
    else if (core_of(*t.owner).current_task == &t)
        text += " runs";
    else
        text += t.started ? " is ready" : " has not started";
    std::size_t depth = 0;
    if (t.started && core_of(*t.owner).current_task != &t)
        for (std::coroutine_handle<> frame = t.resume_point; frame; frame = promise_of(frame).continuation)
            ++depth;
    if (depth > 0)
        text += " (" + std::to_string(depth) + (depth == 1 ? " frame deep)" : " frames deep)");
    if (t.cancel_requests > 0)
        text += ", asked to end " + std::to_string(t.cancel_requests) + " times";
    return text;
}

}

}
