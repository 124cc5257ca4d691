// local_slot.hpp - where values of task_local are kept.
#pragma once

#include <any>
#include <cstdint>
#include <forward_list>
#include <memory>
#include <utility>

namespace corun::detail {

/// Names a task_local. Not its address, which another one may have after it.
using local_key = std::uint64_t;

struct local_values {
    std::forward_list<std::pair<local_key, std::any>> values;   // what get() refers to stays where it is
};

/// Of a task, a callback or a call; empty as long as none is set.
using local_slot = std::unique_ptr<local_values>;

}
