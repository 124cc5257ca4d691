// record.hpp - what the backend knows about one descriptor and about the operations that it has lent to the kernel.
#pragma once

#include "../posix/sockaddr.hpp"
#include "standing_request.hpp"

#include <corun/operation.hpp>

#include <cstdint>
#include <memory>
#include <utility>

#include <sys/socket.h>

namespace corun::uring {

struct record;

/// Memory that a request of the kernel's needs besides its operation, until the answer is there.
struct extra {
    msghdr message{};             ///< of a transfer with many slices
    posix::native_address peer;   ///< of an accept
    record* accepted = nullptr;   ///< of an accept: had before, so that no connection is lost for want of memory
    extra* next = nullptr;        ///< in the free list
};

/// One direction of a descriptor: the operation that has it.
struct slot {
    enum class stage : std::uint8_t {
        idle,     ///< no operation, or one that the other direction looks after
        chosen,   ///< not with the kernel yet
        early,    ///< an accept or a read that waits for what the standing request brings
        lent,     ///< the kernel's: its answer will come
    };

    operation* o = nullptr;
    extra* more = nullptr;
    stage at = stage::idle;
    bool polls = false;         ///< the kernel says when to try; else it does the operation itself
    bool was_in_vain = false;   ///< it was tried, and would have had to wait
    bool cancelled = false;     ///< asked to end: it isn't begun anew
    bool asks = false;          ///< the kernel has not been told that yet
};

struct record {
    bool is_open() const noexcept { return fd >= 0 && !closing; }

    standing_request* standing() const noexcept {
        if (ahead)
            return ahead.get();
        return received.get();
    }

    /// True while something of it is the kernel's or somebody's.
    bool is_lent() const noexcept { return reader.o || writer.o || (standing() && standing()->is_lent); }

    /// The slot that acts for the operation; it may have both directions.
    slot& slot_of(const operation& o) noexcept { return reader.o == &o ? reader : writer; }

    int fd = -1;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    std::int32_t lost = 0;   // the error with which the connection ended: each later read answers it
    slot reader;
    slot writer;
    std::unique_ptr<accept_ahead> ahead;       // of a listener, if that was asked for
    std::unique_ptr<receive_ahead> received;   // of a stream, if that was asked for
    record* next = nullptr;                    // in the free list, or in the list of those with something for the kernel
    record* previous = nullptr;
    bool is_listed = false;
    bool closing = false;         // closed by its owner; the descriptor goes with the last answer
    bool is_stream = false;       // connected TCP: a short read has emptied it
    bool is_adopted = false;      // another process may read from it, too
    bool asks_first = false;      // an adopted listener that blocks
    bool may_have_more = false;   // a hint only: worth a try before the kernel is asked to wait
};

/// Records with something for the kernel, each once, first come first served.
class record_list {
public:
    record* first() const noexcept { return first_; }

    void add(record& r) noexcept {
        if (r.is_listed)
            return;
        r.is_listed = true;
        r.previous = last_;
        r.next = nullptr;
        (last_ ? last_->next : first_) = &r;
        last_ = &r;
    }

    void remove(record& r) noexcept {
        if (!std::exchange(r.is_listed, false))
            return;
        (r.previous ? r.previous->next : first_) = r.next;
        (r.next ? r.next->previous : last_) = r.previous;
        r.previous = r.next = nullptr;
    }

private:
    record* first_ = nullptr;
    record* last_ = nullptr;
};

}
