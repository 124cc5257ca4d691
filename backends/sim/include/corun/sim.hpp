// sim.hpp - a deterministic backend: a virtual clock, and what happens is drawn from a seed.
#pragma once

#include <corun/backend.hpp>

#include <cstdint>
#include <memory>

namespace corun {

/// A backend without an operating system. Time stands still while something is runnable, then jumps to the next deadline; nothing
/// to come while main is unfinished ends the run with corun::deadlock.
std::unique_ptr<backend> make_sim(std::uint64_t seed = 0);

}
