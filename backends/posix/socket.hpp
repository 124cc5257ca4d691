// socket.hpp - what is done to a socket without waiting: open, take over, bind, listen, options, addresses.
#pragma once

#include "fd.hpp"

#include <corun/backend.hpp>

#include <system_error>

namespace corun::posix {

/// The calling thread's errno.
std::error_code last_error() noexcept;

/// A new socket, close-on-exec and non-blocking.
result<fd> open_socket(socket_type) noexcept;

/// Success if `fd` is what `kind` says, as far as the system tells: bad_file_descriptor, not_a_socket, wrong_protocol_type, or
/// not_connected, if not.
std::error_code check_kind(int fd, handle_kind kind) noexcept;

/// True if calls on the descriptor's open file block (an adopted one).
bool is_blocking(int fd) noexcept;

/// All of backend::control() that needs no more than the descriptor.
std::error_code control_socket(int fd, control_request&) noexcept;

}
