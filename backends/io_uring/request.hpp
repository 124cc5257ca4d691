// request.hpp - an operation in the kernel's words.
#pragma once

#include "record.hpp"

#include <cstdint>

#include <liburing.h>

namespace corun::uring {

// What an answer is marked with, if not with an operation.
inline constexpr std::uint64_t of_nobody = 0;   ///< a cancel was heard: the operation's own answer counts
inline constexpr std::uint64_t of_wakes = 1;

inline constexpr std::uint64_t standing_bit = 2;   ///< with the address of a record: its standing request

inline std::uint64_t mark_of_standing(const record& r) noexcept { return reinterpret_cast<std::uintptr_t>(&r) | standing_bit; }
inline std::uint64_t mark_of(const operation& o) noexcept { return reinterpret_cast<std::uintptr_t>(&o); }

/// True if the operation's request needs an `extra`.
bool needs_extra(const operation&) noexcept;

/// Asks when the operation is to be tried.
void write_poll(io_uring_sqe&, int fd, const operation&) noexcept;

// Requests that perform an operation, one for a kind. `poll_first`: the kernel can be told that a try of its own would be in vain.
void write_read(io_uring_sqe&, int fd, slot&, bool poll_first) noexcept;
void write_write(io_uring_sqe&, int fd, slot&, bool poll_first) noexcept;
void write_accept(io_uring_sqe&, int fd, slot&, bool poll_first) noexcept;

}
