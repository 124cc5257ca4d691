// attempt.hpp - tries an operation once, without blocking.
#pragma once

#include <corun/operation.hpp>

namespace corun::posix {

enum class attempted : unsigned char {
    finished,      ///< the answer is in the operation; of an accept, the descriptor is in `value`
    short_read,    ///< finished, with less than was asked for: on a healthy TCP stream nothing is left
    would_block,   ///< nothing happened
};

/// One try of a read, write, accept, connect, poll or shutdown. Never blocks, whatever the descriptor's flags; but see
/// accept_after_poll.
attempted attempt(int fd, operation&) noexcept;

/// accept for an adopted listener whose open file blocks: asks first. Another process that shares it may still come between.
attempted accept_after_poll(int fd, operation&) noexcept;

}
