// record.hpp - what the backend knows about one descriptor and about the operations that it has lent to the kernel.
#pragma once

#include "../common/completion.hpp"
#include "../common/sockaddr.hpp"
#include "../posix/descriptor_type.hpp"
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
    msghdr message{};              ///< of a transfer with many slices
    common::native_address peer;   ///< of an accept
    record* accepted = nullptr;    ///< of an accept: had before, so that no connection is lost for want of memory
    extra* next = nullptr;         ///< in the free list
};

/// One direction of a descriptor: the operation that has it.
struct slot {
    enum class stage : std::uint8_t {
        idle,     ///< no operation, or one that the other direction looks after
        chosen,   ///< not with the kernel yet
        ahead,    ///< an accept or a read that waits for what the standing request brings
        lent,     ///< the kernel's: its answer will come
    };

    void clear() noexcept { *this = slot(); }

    operation* o = nullptr;
    extra* more = nullptr;
    stage at = stage::idle;
    bool polls = false;         ///< the kernel says when to try; else it does the operation itself
    bool was_in_vain = false;   ///< it was tried, and would have had to wait
    bool cancelled = false;     ///< asked to end: it isn't begun anew
    bool asks = false;          ///< the kernel has not been told that yet
};

struct record : common::direction_slots<slot> {
    bool is_open() const noexcept { return fd >= 0 && !closing; }
    bool is_stream() const noexcept { return type == posix::descriptor_type::tcp_stream; }

    standing_request* standing() const noexcept {
        if (accepts)
            return accepts.get();
        return receives.get();
    }

    /// True while something of it is the kernel's or somebody's.
    bool is_lent() const noexcept { return !are_free() || (standing() && standing()->is_lent); }

    int fd = -1;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    std::int32_t lost = 0;                     // the error with which the connection ended: each later read answers it
    std::unique_ptr<accept_ahead> accepts;     // of a listener, if that was asked for
    std::unique_ptr<receive_ahead> receives;   // of a stream, if that was asked for
    record* next = nullptr;                    // in the free list, or in the list of those with something for the kernel
    record* previous = nullptr;
    operation* closer = nullptr;   // waits for the descriptor's end
    bool is_listed = false;
    bool closing = false;   // closed by its owner; the descriptor goes with the last answer
    posix::descriptor_type type = posix::descriptor_type::other;
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
