// generator.hpp - from a seed to a program.
#pragma once

#include "program.hpp"

#include <cstdint>

namespace differential {

/// The same program on every compiler.
program generate(std::uint64_t seed);

}
