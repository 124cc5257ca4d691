// record.hpp - what the backend knows about one socket and about the operations that it has lent to the system.
#pragma once

#include "../common/completion.hpp"
#include "afd.hpp"

#include <corun/operation.hpp>

#include <cstdint>

namespace corun::iocp {

struct record;

/// What an accept needs besides its operation, until its answer is there.
struct extra {
    SOCKET socket = INVALID_SOCKET;   ///< of the connection: the system wants it before
    record* accepted = nullptr;       ///< its record: had before, so that no connection is lost for want of memory
    char addresses[2 * (sizeof(sockaddr_in6) + 16)] = {};
    extra* next = nullptr;   ///< in the free list
};

/// One direction of a socket: the operation that has it. The system writes to `overlapped` and to `poll` until it has answered.
struct slot {
    void clear() noexcept { o = nullptr; }   // what the system writes to is begun anew with each request

    OVERLAPPED overlapped{};   // the first: what the port tells is the slot's own address
    afd_poll poll;
    operation* o = nullptr;
    extra* more = nullptr;
    bool is_lent = false;     ///< the system's: its answer will come
    bool polls = false;       ///< the system says when to try; else it does the operation itself
    bool cancelled = false;   ///< asked to end: it isn't begun anew
};

struct record : common::direction_slots<slot> {
    bool is_open() const noexcept { return socket != INVALID_SOCKET; }

    SOCKET socket = INVALID_SOCKET;   // none from the close on, while operations are still the system's
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    int family = AF_INET;
    std::int32_t lost = 0;        // the error with which the connection ended: each later read answers it
    record* next = nullptr;       // in the free list
    bool nodelay = false;         // of a listener: what it accepts has it
    bool skips = false;           // what succeeds at once is not told by the port again
    bool may_have_more = false;   // a hint only: worth a try before the system is asked to wait
};

}
