// interrupts.hpp - Ctrl-C, Ctrl-Break, the end of the console and raise() are counted.
#pragma once

#include <corun/backend.hpp>

namespace corun::iocp {

/// See backend::catch_interrupts(): SIGINT and SIGBREAK; with `termination`, SIGTERM and the closing of the console, too.
bool catch_interrupts(interrupt_counter&) noexcept;

/// See backend::release_interrupts().
void release_interrupts(interrupt_counter&) noexcept;

}
