// early.cpp - accepts from a multishot request: each operation takes a connection that is there, or waits for the next one.
#include "io_uring_backend.hpp"

#include "../posix/operations.hpp"
#include "../posix/sockets.hpp"
#include "request.hpp"

#include <cassert>
#include <new>
#include <utility>

#include <sys/socket.h>

namespace corun::uring {

/// Only where it was asked for; a listener whose open file blocks is polled for instead.
bool io_uring_backend::accepts_ahead(record& r) noexcept {
    if (most_ahead_ == 0 || r.asks_first)
        return false;
    if (!r.ahead)
        r.ahead.reset(new (std::nothrow) accept_ahead);
    return r.ahead && !r.ahead->is_refused;
}

submitted io_uring_backend::accept_early(record& r, operation& o) noexcept {
    accept_ahead& a = *r.ahead;
    if (!(a.accepted = records_.take())) {
        o.finish(ENOMEM);
        return submitted::finished;
    }
    while (!a.is_empty())
        if (give_early(r, o, a.take())) {
            ask_ahead(r);
            return submitted::finished;
        }
    r.reader = slot();
    r.reader.o = &o;
    r.reader.at = slot::stage::early;
    o.state = operation_state::pending;
    ask_ahead(r);
    return submitted::pending;
}

/// False for a connection that has gone and whose peer nobody can name any more; as on other systems the next one is taken.
bool io_uring_backend::give_early(record& r, operation& o, int fd) noexcept {
    if (o.argument) {
        posix::native_address peer;
        if (sys::getpeername(fd, peer.data(), &peer.size) < 0) {
            (void)posix::close_socket(fd);
            return false;
        }
        *static_cast<address*>(o.argument) = peer.portable();
    }
    o.finish(0);
    o.accepted = bind_record(*std::exchange(r.ahead->accepted, nullptr), fd, true);
    return true;
}

/// The request is made while somebody waits, or few connections do.
void io_uring_backend::ask_ahead(record& r) noexcept {
    accept_ahead& a = *r.ahead;
    if (a.is_lent || a.begins || r.closing || (r.reader.at != slot::stage::early && a.size() > most_ahead_ / 2))
        return;
    a.begins = true;
    listed_.add(r);
}

void io_uring_backend::end_ahead(record& r) noexcept {
    accept_ahead& a = *r.ahead;
    a.begins = false;
    if (!a.is_lent || std::exchange(a.ends, true))
        return;
    a.asks_end = true;
    listed_.add(r);
}

bool io_uring_backend::hand_over_ahead(record& r) noexcept {
    accept_ahead& a = *r.ahead;
    if (a.begins) {
        io_uring_sqe* const e = ring_.entry();
        if (!e)
            return false;
        ::io_uring_prep_multishot_accept(e, r.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ::io_uring_sqe_set_data64(e, mark_of_early(r));
        a.begins = false;
        a.is_lent = true;
        ++lent_;
    }
    if (a.asks_end) {
        io_uring_sqe* const e = ring_.entry();
        if (!e)
            return false;
        ::io_uring_prep_cancel64(e, mark_of_early(r), 0);
        ::io_uring_sqe_set_data64(e, of_nobody);
        a.asks_end = false;
    }
    return true;
}

void io_uring_backend::take_early(record& r, const io_uring_cqe& answer) noexcept {
    accept_ahead& a = *r.ahead;
    if (!(answer.flags & IORING_CQE_F_MORE)) {
        --lent_;
        a.is_lent = a.ends = a.asks_end = false;
    }
    if (answer.res >= 0)
        take_early_connection(r, answer.res);
    else if (!a.is_lent)
        take_early_error(r, -answer.res);
    if (r.reader.at == slot::stage::early && !a.is_refused)
        ask_ahead(r);
    if (r.closing && !r.is_lent())
        close_error_ = end(r);
}

void io_uring_backend::take_early_connection(record& r, int fd) noexcept {
    accept_ahead& a = *r.ahead;
    if (r.closing) {
        (void)posix::close_socket(fd);
    } else if (r.reader.at == slot::stage::early) {
        if (give_early(r, *r.reader.o, fd))
            leave(r, r.reader);
    } else {
        if (!a.add(fd))
            (void)posix::close_socket(fd);   // as a system that is out of memory does
        if (a.size() >= most_ahead_)
            end_ahead(r);
    }
}

void io_uring_backend::take_early_error(record& r, int error) noexcept {
    if (r.reader.at != slot::stage::early || error == ECANCELED || posix::is_of_the_connection(error))
        return;
    slot& s = r.reader;
    if (error == EINVAL || error == EAGAIN) {
        // An older kernel, or not a listener: the plain request knows.
        r.ahead->is_refused = true;
        if (get_extra(s)) {
            s.at = slot::stage::chosen;
            listed_.add(r);
            return;
        }
        error = ENOMEM;
    }
    s.o->finish(error);
    leave(r, s);
}

/// What was handed over and nobody took: the peers see a reset, as with a listener's own queue.
void io_uring_backend::close_early(record& r) noexcept {
    while (r.ahead && !r.ahead->is_empty())
        (void)posix::close_socket(r.ahead->take());
}

}
