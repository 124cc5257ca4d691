// inspect.cpp - the tree of tasks: who owns whom, where each stands.
#include <corun/inspect.hpp>
#include <corun/task_handle.hpp>

#include "describe_task.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace corun {

std::size_t live_frames() noexcept { return detail::live_frames(); }

namespace detail {
namespace {

/// GCC calls a coroutine's body `void serve(serve(int)::_Z5servei.Frame*)`: the function's name is before the last brackets. Template
/// arguments are of more lines than use.
std::string function_name(std::string name) {
    if (const auto arguments = name.find(" [with "); arguments != std::string::npos)
        name.resize(arguments);
    constexpr std::string_view frame = ".Frame*)";
    if (name.ends_with(frame)) {
        int depth = 0;
        std::size_t at = name.size();
        do {
            --at;
            depth += name[at] == ')' ? 1 : name[at] == '(' ? -1 : 0;
        } while (at > 0 && depth > 0);
        name.resize(at);
        if (name.starts_with("void "))
            name.erase(0, 5);
    }
    return name;
}

frame_info frame_at(const std::source_location& where) { return {function_name(where.function_name()), where.file_name(), where.line()}; }

std::string text_of(const frame_info& f) { return f.function + " (" + f.file + ":" + std::to_string(f.line) + ")"; }

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
        text += ", asked to end " + std::to_string(t.cancel_requests) + (t.cancel_requests == 1 ? " time" : " times");
    return text;
}

task_status status_of(const task_state& t, const loop_core& core) noexcept {
    if (core.current_task == &t)
        return task_status::running;
    if (!t.started)
        return task_status::not_started;
    return t.waiting_on ? task_status::waiting : task_status::ready;
}

}

task_info look_at(task_state& t) {
    const loop_core& core = core_of(*t.owner);
    task_info info;
    info.id = t.id;
    if (t.extras)
        info.name = t.extras->name;
    info.status = status_of(t, core);
    info.since_turn = t.since.turn;
    info.since = std::chrono::milliseconds(t.since.milliseconds);
    info.cancel_requests = t.cancel_requests;
    if (t.waiting_on) {
        info.waits_for = t.waiting_on->what();
        if (const auto* const join = dynamic_cast<const join_waiter*>(t.waiting_on))
            info.waits_for_task = join->target().id;
    }
    if (info.status != task_status::running)
        for (std::coroutine_handle<> frame = t.resume_point; frame; frame = promise_of(frame).continuation)
            if (promise_of(frame).end == ending::none)
                info.frames.push_back(frame_at(promise_of(frame).where));
    return info;
}

std::string describe_place(const std::source_location& where) { return text_of(frame_at(where)); }

std::string describe_task(task_state& t) {
    const task_info info = look_at(t);
    std::string text = text_of(info);
    for (std::size_t i = 0; i < info.frames.size(); ++i)
        text += (i == 0 ? " at " : " in ") + text_of(info.frames[i]);
    return text;
}

}

namespace {

using namespace detail;

void add_to_text(std::string& text, const task_info& t, std::size_t depth) {
    const std::string indent(4 * depth, ' ');
    text += indent + text_of(t) + ", since turn " + std::to_string(t.since_turn) + " (" + std::to_string(t.since.count()) + " ms)\n";
    for (const frame_info& f : t.frames)
        text += indent + "  at " + text_of(f) + "\n";
    for (const task_info& child : t.children)
        add_to_text(text, child, depth + 1);
}

std::string quoted(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (json += '\\') += c;
        else if (code < 0x20)
            ((json += "\\u00") += digits[code >> 4]) += digits[code & 15];
        else
            json += c;
    }
    return json + "\"";
}

/// `[a,b]`, each as `one` says.
template <class T, class F>
std::string json_list(const std::vector<T>& all, F one) {
    std::string json;
    for (const T& element : all)
        json += (json.empty() ? "" : ",") + one(element);
    return "[" + json + "]";
}

std::string json_of(const frame_info& f) {
    return "{\"function\":" + quoted(f.function) + ",\"file\":" + quoted(f.file) + ",\"line\":" + std::to_string(f.line) + "}";
}

std::string json_of(const task_info& t) {
    static constexpr std::string_view states[] = {"not_started", "running", "ready", "waiting"};
    std::string json = "{\"id\":" + std::to_string(t.id);
    if (!t.name.empty())
        json += ",\"name\":" + quoted(t.name);
    json += ",\"status\":" + quoted(states[static_cast<std::size_t>(t.status)]);
    if (!t.waits_for.empty())
        json += ",\"waits_for\":" + quoted(t.waits_for);
    if (t.waits_for_task != 0)
        json += ",\"waits_for_task\":" + std::to_string(t.waits_for_task);
    json += ",\"since_turn\":" + std::to_string(t.since_turn) + ",\"since_ms\":" + std::to_string(t.since.count());
    if (t.cancel_requests > 0)
        json += ",\"cancel_requests\":" + std::to_string(t.cancel_requests);
    if (!t.frames.empty())
        json += ",\"frames\":" + json_list(t.frames, [](const frame_info& f) { return json_of(f); });
    if (!t.children.empty())
        json += ",\"children\":" + json_list(t.children, [](const task_info& child) { return json_of(child); });
    return json + "}";
}

}

std::vector<task_info> task_tree(loop& l) {
    const std::vector<task_ref> all = l.all_tasks();
    // A child is younger than its parent: from the last one on, each has its own children when it joins its parent's.
    std::map<std::uint64_t, std::vector<task_info>> children;
    std::vector<task_info> roots;
    for (auto t = all.rbegin(); t != all.rend(); ++t) {
        task_state& state = t->state();
        task_info info = look_at(state);
        if (const auto own = children.find(info.id); own != children.end()) {
            info.children = std::move(own->second);
            std::reverse(info.children.begin(), info.children.end());
        }
        task_state* const parent = state.group ? &state.group->parent_task() : nullptr;
        (parent && parent->id < info.id && !parent->is_done() ? children[parent->id] : roots).push_back(std::move(info));
    }
    std::reverse(roots.begin(), roots.end());
    return roots;
}

std::string dump_tasks(loop& l) {
    std::string text;
    for (const task_info& t : task_tree(l))
        add_to_text(text, t, 0);
    return text;
}

std::string dump_tasks_json(loop& l) {
    return json_list(task_tree(l), [](const task_info& t) { return json_of(t); });
}

}
