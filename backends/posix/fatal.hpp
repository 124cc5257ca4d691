// fatal.hpp - the end of a program whose loop can neither go on nor say so to anybody.
#pragma once

#include "sys.hpp"

#include <cstdlib>
#include <string_view>

namespace corun::posix {

/// Writes the text to standard error, and aborts. Any thread, any signal handler.
[[noreturn]] inline void fatal(std::string_view text) noexcept {
    (void)!sys::write(STDERR_FILENO, text.data(), text.size());
    std::abort();
}

}
