// sim.hpp - a deterministic backend: a virtual clock. It has no network yet.
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// A backend without an operating system. Time stands still while something is runnable, then jumps to the next deadline; nothing
/// to come while main is unfinished ends the run with corun::deadlock. I/O answers operation_not_supported.
std::unique_ptr<backend> make_sim();

}
