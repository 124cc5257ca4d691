// request.cpp - see request.hpp.
#include "request.hpp"

#include "../posix/operations.hpp"

#include <algorithm>
#include <cstddef>

#include <poll.h>

namespace corun::uring {
namespace {

// The entry's length has 32 bits, the answer 31.
std::size_t size_of(const io_slice& s) noexcept { return std::min<std::size_t>(s.size, 0x7fff'f000); }

void write_poll(io_uring_sqe& e, int fd, const operation& o) noexcept {
    const std::uint8_t directions = posix::directions_of(o);
    unsigned events = 0;
    if (directions & ready::readable)
        events |= POLLIN;
    if (directions & ready::writable)
        events |= POLLOUT;
    ::io_uring_prep_poll_add(&e, fd, events);
}

void write_transfer(io_uring_sqe& e, int fd, slot& s) noexcept {
    const operation& o = *s.o;
    const bool reads = o.kind == operation_kind::read;
    if (s.more) {
        s.more->message = posix::message_of(o);
        if (reads)
            ::io_uring_prep_recvmsg(&e, fd, &s.more->message, 0);
        else
            ::io_uring_prep_sendmsg(&e, fd, &s.more->message, MSG_NOSIGNAL);
    } else if (reads) {
        ::io_uring_prep_recv(&e, fd, o.slices->data, size_of(*o.slices), 0);
    } else {
        ::io_uring_prep_send(&e, fd, o.slices->data, size_of(*o.slices), MSG_NOSIGNAL);
    }
}

}

bool needs_extra(const operation& o) noexcept {
    const bool transfers = o.kind == operation_kind::read || o.kind == operation_kind::write;
    return o.kind == operation_kind::accept || (transfers && o.slice_count != 1);
}

bool is_polled(const operation& o) noexcept { return o.kind == operation_kind::connect || o.kind == operation_kind::poll; }

void write_request(io_uring_sqe& e, int fd, slot& s, bool has_poll_first) noexcept {
    if (s.polls) {
        write_poll(e, fd, *s.o);
    } else if (s.o->kind == operation_kind::accept) {
        posix::native_address& peer = s.more->peer;
        peer.size = sizeof peer.v6;
        ::io_uring_prep_accept(&e, fd, peer.data(), &peer.size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } else {
        write_transfer(e, fd, s);
        const bool reads = s.o->kind == operation_kind::read;
        // It was tried, or the last read emptied the socket: a try of the kernel's own would be in vain.
        if (has_poll_first && (reads || s.was_in_vain))
            e.ioprio = static_cast<decltype(e.ioprio)>(e.ioprio | IORING_RECVSEND_POLL_FIRST);
    }
}

}
