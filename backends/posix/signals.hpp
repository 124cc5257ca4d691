// signals.hpp - which loop gets the process's interrupts: one at most (2.1).
#pragma once

#include <corun/backend.hpp>

namespace corun::posix {

/// backend::catch_interrupts() and release_interrupts() of every POSIX backend.
bool catch_interrupts(interrupt_counter&) noexcept;
void release_interrupts(interrupt_counter&) noexcept;

}
