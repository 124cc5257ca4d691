// accepted.cpp - accepts from a standing request: each operation takes a connection that is there, or waits for the next one.
#include "io_uring_backend.hpp"

#include "../posix/operations.hpp"
#include "../posix/sockets.hpp"
#include "request.hpp"

#include <new>
#include <utility>

#include <sys/socket.h>

namespace corun::uring {

/// Only where it was asked for; a listener whose open file blocks is polled for instead.
bool io_uring_backend::accepts_ahead(record& r) noexcept {
    if (most_accepted_ == 0 || r.asks_first)
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
        if (give_connection(r, o, a.take())) {
            if (a.size() <= most_accepted_ / 2)
                begin_standing(r);
            return submitted::finished;
        }
    return wait_early(r, o);
}

/// False for a connection that has gone and whose peer nobody can name any more; as on other systems the next one is taken.
bool io_uring_backend::give_connection(record& r, operation& o, int fd) noexcept {
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

void io_uring_backend::take_early_connection(record& r, int fd) noexcept {
    accept_ahead& a = *r.ahead;
    if (r.closing) {
        (void)posix::close_socket(fd);
    } else if (r.reader.at == slot::stage::early) {
        if (give_connection(r, *r.reader.o, fd))
            leave(r, r.reader);
    } else {
        if (!a.add(fd))
            (void)posix::close_socket(fd);   // as a system that is out of memory does
        if (a.size() >= most_accepted_)
            end_standing(r);
    }
}

void io_uring_backend::take_accept_error(record& r, int error) noexcept {
    if (r.reader.at != slot::stage::early || error == ECANCELED || posix::is_of_the_connection(error))
        return;
    if (error == EINVAL || error == EAGAIN) {
        // An older kernel, or not a listener: the plain request knows.
        r.ahead->is_refused = true;
        records_.give_back(*std::exchange(r.ahead->accepted, nullptr));
        leave_to_plain(r);
        return;
    }
    r.reader.o->finish(error);
    leave(r, r.reader);
}

/// What was handed over and nobody took: the peers see a reset, as with a listener's own queue.
void io_uring_backend::close_early(record& r) noexcept {
    while (r.ahead && !r.ahead->is_empty()) {
        const int fd = r.ahead->take();
        let_close_reset(fd);
        (void)posix::close_socket(fd);
    }
}

}
