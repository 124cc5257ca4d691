// children.cpp - scopes of children are known to the loop, so that no task is out of its sight.
#include <corun/detail/children.hpp>

namespace corun::detail {

child_scope::child_scope(task_state& parent) noexcept : parent_(&parent) { parent.core->registry.scopes.push_back(*this); }

void child_scope::cancel_children(const cancel_reason& why) noexcept {
    children.for_each([&why](task_state& child) { child.cancel(why); });
}

}
