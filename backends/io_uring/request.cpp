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

void wait_first(io_uring_sqe& e) noexcept { e.ioprio = static_cast<decltype(e.ioprio)>(e.ioprio | IORING_RECVSEND_POLL_FIRST); }

}

bool needs_extra(const operation& o) noexcept {
    switch (row_of(o.kind).answer) {
    case kind_answer::handle: return true;
    case kind_answer::count: return o.slice_count != 1;
    case kind_answer::ready:
    case kind_answer::none: break;
    }
    return false;
}

void write_poll(io_uring_sqe& e, int fd, const operation& o) noexcept {
    const std::uint8_t directions = common::directions_of(o);
    unsigned events = 0;
    if (directions & ready::readable)
        events |= POLLIN;
    if (directions & ready::writable)
        events |= POLLOUT;
    ::io_uring_prep_poll_add(&e, fd, events);
}

void write_read(io_uring_sqe& e, int fd, slot& s, bool poll_first) noexcept {
    const operation& o = *s.o;
    if (s.more) {
        s.more->message = posix::message_of(o);
        ::io_uring_prep_recvmsg(&e, fd, &s.more->message, 0);
    } else {
        ::io_uring_prep_recv(&e, fd, o.slices->data, size_of(*o.slices), 0);
    }
    if (poll_first)   // it was tried, or the last read emptied the socket
        wait_first(e);
}

void write_write(io_uring_sqe& e, int fd, slot& s, bool poll_first) noexcept {
    const operation& o = *s.o;
    if (s.more) {
        s.more->message = posix::message_of(o);
        ::io_uring_prep_sendmsg(&e, fd, &s.more->message, MSG_NOSIGNAL);
    } else {
        ::io_uring_prep_send(&e, fd, o.slices->data, size_of(*o.slices), MSG_NOSIGNAL);
    }
    if (poll_first && s.was_in_vain)
        wait_first(e);
}

void write_accept(io_uring_sqe& e, int fd, slot& s, bool) noexcept {
    common::native_address& peer = s.more->peer;
    peer.size = sizeof peer.v6;
    ::io_uring_prep_accept(&e, fd, peer.data(), &peer.size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

}
