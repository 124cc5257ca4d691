// directions.hpp - which of a socket's two directions an operation takes.
#pragma once

#include <corun/operation.hpp>

#include <cstdint>

namespace corun::posix {

/// The directions that an operation takes, a `ready` mask; 0 for one that is unknown.
inline std::uint8_t directions_of(const operation& o) noexcept {
    switch (o.kind) {
    case operation_kind::read:
    case operation_kind::accept: return ready::readable;
    case operation_kind::write:
    case operation_kind::connect:
    case operation_kind::shutdown: return ready::writable;   // not beside a write, which it would cut off
    case operation_kind::poll: return static_cast<std::uint8_t>(o.value & (ready::readable | ready::writable));
    }
    return 0;
}

}
