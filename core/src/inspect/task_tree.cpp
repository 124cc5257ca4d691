// task_tree.cpp - see task_tree.hpp.
#include "inspect/task_tree.hpp"

#include "inspect/describe_task.hpp"

#include <corun/detail/task_state.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace corun::detail {
namespace {

void add_to_text(std::string& text, const task_info& t, std::size_t depth) {
    const std::size_t indent = indent_at(depth);
    text.append(indent, ' ') +=
        depth_note(depth) + text_of(t) + ", since turn " + std::to_string(t.since_turn) + " (" + std::to_string(t.since.count()) + " ms)\n";
    for (const frame_info& f : t.frames)
        text.append(indent, ' ') += "  at " + text_of(f) + "\n";
}

}

std::vector<task_state*> tasks_in_order(loop_core& core) {
    std::vector<task_state*> all;
    all.reserve(core.registry.count);
    for_each_task(core, [&all](task_state& t) { all.push_back(&t); });
    std::sort(all.begin(), all.end(), [](const task_state* a, const task_state* b) { return a->id < b->id; });
    return all;
}

task_list tree_of(loop_core& core) {
    const std::vector<task_state*> all = tasks_in_order(core);
    // A child is younger than its parent: from the last one on, each has its own children when it joins its parent's.
    std::map<std::uint64_t, task_list> children;
    task_list roots;
    for (auto t = all.rbegin(); t != all.rend(); ++t) {
        task_state& state = **t;
        task_info info = look_at(state);
        if (const auto own = children.find(info.id); own != children.end()) {
            info.children = std::move(own->second);
            std::reverse(info.children.begin(), info.children.end());
        }
        task_state* const parent = state.scope ? &state.scope->parent_task() : nullptr;
        (parent && parent->id < info.id && !parent->is_done() ? children[parent->id] : roots).push_back(std::move(info));
    }
    std::reverse(roots.begin(), roots.end());
    return roots;
}

std::string dump_of(loop_core& core) {
    std::string text;
    walk_tasks(tree_of(core), [&text](const task_info& t, std::size_t depth) { add_to_text(text, t, depth); }, [](const task_info&) {});
    return text;
}

}
