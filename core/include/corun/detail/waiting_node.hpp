// waiting_node.hpp - what an awaiter needs to know of the task that stands at it. Beneath waiter.hpp, which stands beneath tasks and loops.
#pragma once

#include <corun/detail/entry.hpp>

namespace corun {
class waiter;
}

namespace corun::detail {

/// A task's place in queues, and at which await it stands; the first base of task_state, and of nothing else.
struct waiting_node : entry {
    using entry::entry;

    waiter* waiting_on = nullptr;
};

}
