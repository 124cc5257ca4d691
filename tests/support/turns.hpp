// turns.hpp - the current turn's number, by which the cases measure distances.
#pragma once

#include <corun/loop.hpp>

#include <cstdint>

namespace testing {

/// The turns of the current loop so far, the one that runs included.
inline std::uint64_t turn_number() { return corun::loop::current().counters().turns; }

}
