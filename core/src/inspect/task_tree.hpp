// task_tree.hpp - the unfinished tasks of a loop, each beneath the task that waits for it.
#pragma once

#include <corun/task_info.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inspect/tree_text.hpp"

namespace corun::detail {

struct loop_core;
struct task_state;

/// In the order of their creation.
std::vector<task_state*> tasks_in_order(loop_core&);

task_list tree_of(loop_core&);

/// A line for each task and one for each of its frames.
std::string dump_of(loop_core&);

/// Siblings, and which of them comes next.
struct place {
    const std::vector<task_info>* list;
    std::size_t next = 0;

    bool is_over() const noexcept { return next == list->size(); }
};

/// Calls `enter(task, depth)` before and `leave(task)` after a task's children, in order; a root's depth is 0.
template <class Enter, class Leave>
void walk_tasks(const std::vector<task_info>& roots, Enter enter, Leave leave) {
    const auto step = [&enter](place& here, std::size_t depth) {
        const task_info& t = (*here.list)[here.next++];
        enter(t, depth - 1);
        return std::optional(place{&t.children});
    };
    walk(place{&roots}, step, [&leave](const place&, const place& above) { leave((*above.list)[above.next - 1]); });
}

}
