// describe_task.cpp - see describe_task.hpp.
#include "inspect/describe_task.hpp"

#include <corun/detail/promise.hpp>
#include <corun/detail/task_state.hpp>
#include <corun/waiter.hpp>

#include <chrono>

namespace corun::detail {
namespace {

task_status status_of(const task_state& t, const loop_core& core) noexcept {
    if (core.current_task == &t)
        return task_status::running;
    if (!t.has_started())
        return task_status::not_started;
    return t.waiting_on ? task_status::waiting : task_status::ready;
}

}

task_info look_at(const task_state& t) {
    const loop_core& core = *t.core;
    task_info info;
    info.id = t.id;
    if (t.extras)
        info.name = t.extras->name;
    info.status = status_of(t, core);
    if (!t.is_done()) {
        info.since_turn = t.since.turn;
        info.since = std::chrono::milliseconds(t.since.milliseconds);
    }
    info.cancel_requests = t.cancel_requests;
    info.why = t.why_cancelled();
    if (t.waiting_on) {
        info.waits_for = t.waiting_on->what();
        if (const task_state* const joined = t.waiting_on->joined())
            info.waits_for_task = joined->id;
    }
    if (info.status != task_status::running)
        for (std::coroutine_handle<> frame = t.resume_point; frame; frame = promise_of(frame).continuation)
            if (promise_of(frame).end == ending::none)
                info.frames.push_back(frame_at(promise_of(frame).where));
    return info;
}

std::string text_of_requests(std::uint32_t count, const cancel_reason& last) {
    std::string text = "asked to end " + std::to_string(count) + (count == 1 ? " time" : " times");
    if (last.origin != cancel_origin::none)
        text += (count == 1 ? " (" : " (last: ") + to_string(last) + ")";
    return text;
}

std::string text_of(const task_info& t) {
    std::string text = "task " + std::to_string(t.id);
    if (!t.name.empty())
        text += " \"" + t.name + "\"";
    switch (t.status) {
    case task_status::not_started: text += " has not started"; break;
    case task_status::running: text += " runs"; break;
    case task_status::ready: text += " is ready"; break;
    case task_status::waiting: text += " waits for " + t.waits_for; break;
    }
    if (t.waits_for_task != 0)
        text += " " + std::to_string(t.waits_for_task);
    if (t.cancel_requests > 0)
        text += ", " + text_of_requests(t.cancel_requests, t.why);
    return text;
}

std::string describe_task(const task_state& t) {
    const task_info info = look_at(t);
    std::string text = text_of(info);
    for (std::size_t i = 0; i < info.frames.size(); ++i)
        text += (i == 0 ? " at " : " in ") + text_of(info.frames[i]);
    return text;
}

}
