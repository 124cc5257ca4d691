// entry.hpp - whatever stands in a loop's ready queue: steps of tasks, due timers, bookkeeping, callbacks.
#pragma once

#include <corun/detail/intrusive_list.hpp>

namespace corun {
class loop;
}

namespace corun::detail {

struct queue_tag;

/// A node and what to do with it when its turn comes.
struct entry : link<queue_tag> {
    /// Runs the entry, which is in no list any more. A null loop means: the loop closes, release what you hold and do nothing.
    using action = void (*)(entry&, loop*) noexcept;

    entry() noexcept = default;
    explicit entry(action a) noexcept : run(a) {}

    action run = nullptr;
};

using entry_list = intrusive_list<entry, queue_tag>;

}
