// kinds.hpp - the simulation's row for each kind of operation.
#pragma once

#include "object.hpp"

namespace corun::sim {

struct world;

/// How a kind is performed.
struct kind_ways {
    bool (object::*attempt)(operation&) = nullptr;   ///< of a kind with a handle: asks what it names
    void (*answer)(world&, operation&) = nullptr;    ///< of a kind without a handle
    bool may_be_first = false;                       ///< what its object expects may be here before a cancel is
};

constexpr kind_ways ways_for(operation_kind k) noexcept {
    switch (k) {
    case operation_kind::read: return {.attempt = &object::read, .may_be_first = true};
    case operation_kind::write: return {.attempt = &object::write};
    case operation_kind::accept: return {.attempt = &object::accept};
    case operation_kind::connect: return {.attempt = &object::connect, .may_be_first = true};
    case operation_kind::poll: return {.attempt = &object::poll};
    case operation_kind::shutdown: return {.attempt = &object::shut_down};
    case operation_kind::close: return {};   // handles::close()
    }
    return {};
}

inline const kind_ways& ways_of(const operation& o) noexcept { return kind_table<&ways_for>::of(o.kind); }

}
