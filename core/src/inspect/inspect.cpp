// inspect.cpp - the tree of tasks for users, and as JSON.
#include <corun/detail/frame_pool.hpp>
#include <corun/inspect.hpp>

#include "inspect/task_tree.hpp"

#include <string_view>

namespace corun {

std::size_t live_frames() noexcept { return detail::live_frames(); }

task_list task_tree(loop& l) { return detail::tree_of(detail::core_of(l)); }

std::string dump_tasks(loop& l) { return detail::dump_of(detail::core_of(l)); }

namespace {

std::string json_text(std::string_view text) {
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

void add_to_json(std::string& json, const frame_info& f) {
    json += "{\"function\":" + json_text(f.function) + ",\"file\":" + json_text(f.file) + ",\"line\":" + std::to_string(f.line) + "}";
}

/// All of a task but its children and the closing bracket.
void add_to_json(std::string& json, const task_info& t) {
    static constexpr std::string_view states[] = {"not_started", "running", "ready", "waiting"};
    json += "{\"id\":" + std::to_string(t.id);
    if (!t.name.empty())
        json += ",\"name\":" + json_text(t.name);
    json += ",\"status\":" + json_text(states[static_cast<std::size_t>(t.status)]);
    if (!t.waits_for.empty())
        json += ",\"waits_for\":" + json_text(t.waits_for);
    if (t.waits_for_task != 0)
        json += ",\"waits_for_task\":" + std::to_string(t.waits_for_task);
    json += ",\"since_turn\":" + std::to_string(t.since_turn) + ",\"since_ms\":" + std::to_string(t.since.count());
    if (t.cancel_requests > 0)
        json += ",\"cancel_requests\":" + std::to_string(t.cancel_requests);
    if (t.why.origin != cancel_origin::none) {
        json += ",\"why\":{\"origin\":" + json_text(to_string(t.why.origin));
        if (t.why.file)
            json += ",\"file\":" + json_text(t.why.file) + ",\"line\":" + std::to_string(t.why.line);
        json += "}";
    }
    if (!t.frames.empty()) {
        json += ",\"frames\":[";
        for (const frame_info& f : t.frames) {
            if (&f != t.frames.data())
                json += ",";
            add_to_json(json, f);
        }
        json += "]";
    }
}

}

std::string dump_tasks_json(loop& l) {
    std::string json = "[";
    const auto enter = [&json](const task_info& t, std::size_t) {
        if (json.back() == '}')
            json += ",";
        add_to_json(json, t);
        if (!t.children.empty())
            json += ",\"children\":[";
    };
    const auto leave = [&json](const task_info& t) { json += t.children.empty() ? "}" : "]}"; };
    detail::walk_tasks(task_tree(l), enter, leave);
    return json + "]";
}

}
