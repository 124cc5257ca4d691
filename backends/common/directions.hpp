// directions.hpp - which of a socket's two directions an operation takes.
#pragma once

#include <corun/operation.hpp>

#include <cstdint>

namespace corun::common {

/// The directions that an operation takes, a `ready` mask; 0 for one that takes none, or asks for none.
inline std::uint8_t directions_of(const operation& o) noexcept {
    const std::uint8_t directions = row_of(o.kind).directions;
    return directions == kind_row::as_wanted ? static_cast<std::uint8_t>(o.wanted & (ready::readable | ready::writable)) : directions;
}

}
