// request.hpp - an operation in the kernel's words.
#pragma once

#include "record.hpp"

#include <liburing.h>

namespace corun::uring {

/// True if the operation's request needs an `extra`.
bool needs_extra(const operation&) noexcept;

/// True if the kernel is only asked when to try the operation.
bool is_polled(const operation&) noexcept;

/// Writes the request of the slot's operation into an entry.
void write_request(io_uring_sqe&, int fd, slot&, bool has_poll_first) noexcept;

}
