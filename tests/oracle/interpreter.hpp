// interpreter.hpp - runs the oracle's programs on corun and writes their traces.
#pragma once

#include "program.hpp"

#include <string>

namespace oracle {

/// The trace as compact JSON: `[[ms,"verb",actor,...],...]`. Runs on the simulation backend.
std::string run_program(const program& p);

}
