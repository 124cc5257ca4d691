// attempt.hpp - tries an operation once, without blocking.
#pragma once

#include <corun/backend.hpp>

namespace corun::posix {

enum class attempted : unsigned char {
    finished,      ///< the answer is in the operation; of an accept, the descriptor is in `native`
    short_read,    ///< finished, with less than was asked for: on a healthy TCP stream nothing is left
    would_block,   ///< nothing happened
};

/// One try of an operation of any kind that is tried on a descriptor. Never blocks, whatever the descriptor's flags; but see
/// accept_after_poll.
attempted attempt(int fd, operation&) noexcept;

/// accept for an adopted listener whose open file blocks: asks first. Another process that shares it may still come between.
attempted accept_after_poll(int fd, operation&) noexcept;

// Of kinds without a target: submit() and backend::perform().
submitted submit_without_target(operation&) noexcept;
void perform(operation&) noexcept;

}
