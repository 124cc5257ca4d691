// sim.hpp - a deterministic backend: a virtual clock and a network in memory.
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// A backend without an operating system. Time stands still while something is runnable, then jumps to the next deadline; nothing
/// to come while main is unfinished ends the run with corun::deadlock. TCP streams and listeners live in memory, at loopback addresses,
/// without delays or faults. to_thread() calls are made on the loop's thread, when nothing else is runnable. The same program takes the
/// same steps in every run. Signals are left alone; adopt() and native handles answer operation_not_supported.
std::unique_ptr<backend> make_sim();

}
