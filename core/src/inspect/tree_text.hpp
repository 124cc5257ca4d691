// tree_text.hpp - trees as text: the walk through one, and how far its lines are indented.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corun::detail {

/// Walks a tree in order, without a call inside a call: trees of tasks and of exceptions may be nested deeper than a stack. A Place is
/// where the walk stands in one list of siblings, and `is_over()` says that it has been through them. `step(place, depth)` goes on by one,
/// the root's depth being 1, and gives the place below if that one has children to be walked; `leave(done, above)` is called after those.
/// Gives the root's place back.
template <class Place, class Step, class Leave>
Place walk(Place root, Step step, Leave leave) {
    std::vector<Place> path;
    path.push_back(std::move(root));
    for (;;) {
        if (!path.back().is_over()) {
            if (std::optional<Place> below = step(path.back(), path.size()))
                path.push_back(std::move(*below));
            continue;
        }
        Place done = std::move(path.back());
        path.pop_back();
        if (path.empty())
            return done;
        leave(done, path.back());
    }
}

/// Lines are not indented further than this many levels: the text grows with the tree, not with its square.
constexpr std::size_t deepest_indent = 16;

inline std::size_t indent_at(std::size_t depth) noexcept { return 4 * std::min(depth, deepest_indent); }

/// How deep a line is, where its indent no longer says it.
inline std::string depth_note(std::size_t depth) {
    return depth > deepest_indent ? "[" + std::to_string(depth) + " deep] " : std::string();
}

}
