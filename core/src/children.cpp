// children.cpp - scopes of children are known to the loop, so that no task is out of its sight.
#include <corun/detail/children.hpp>
#include <corun/loop.hpp>

namespace corun::detail {

child_scope::child_scope(task_state& parent) noexcept : parent_(&parent) { core_of(*parent.owner).owners.push_back(*this); }

void child_scope::cancel_children() noexcept {
    children.for_each([](task_state& child) { child.cancel(); });
}

}
