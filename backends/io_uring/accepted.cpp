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
    if (!r.accepts)
        r.accepts.reset(new (std::nothrow) accept_ahead);
    return r.accepts && !r.accepts->is_refused;
}

/// Nothing: the plain request is the way.
std::optional<submitted> io_uring_backend::accept_from_ahead(record& r, operation& o) noexcept {
    if (!accepts_ahead(r))
        return std::nullopt;
    accept_ahead& a = *r.accepts;
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
    return wait_for_ahead(r, o);
}

/// False for a connection that has gone and whose peer nobody can name any more; as on other systems the next one is taken.
bool io_uring_backend::give_connection(record& r, operation& o, int fd) noexcept {
    if (o.peer) {
        common::native_address peer;
        if (sys::getpeername(fd, peer.data(), &peer.size) < 0) {
            (void)posix::close_socket(fd);
            return false;
        }
        *o.peer = peer.portable();
    }
    o.finish(0);
    o.accepted = bind_record(*std::exchange(r.accepts->accepted, nullptr), fd, posix::descriptor_type::tcp_stream);
    return true;
}

void io_uring_backend::take_connection_ahead(record& r, int fd) noexcept {
    accept_ahead& a = *r.accepts;
    if (r.closing) {
        (void)posix::close_socket(fd);
    } else if (r.reader.at == slot::stage::ahead) {
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
    if (r.reader.at != slot::stage::ahead || error == ECANCELED || posix::is_of_the_connection(error))
        return;
    if (error == EINVAL || error == EAGAIN) {
        // An older kernel, or not a listener: the plain request knows.
        r.accepts->is_refused = true;
        records_.give_back(*std::exchange(r.accepts->accepted, nullptr));
        leave_to_plain(r);
        return;
    }
    r.reader.o->finish(error);
    leave(r, r.reader);
}

/// What was handed over and no accept took: the peers see a reset, as with a listener's own queue.
void io_uring_backend::close_ahead(record& r) noexcept {
    while (r.accepts && !r.accepts->is_empty()) {
        const int fd = r.accepts->take();
        let_close_reset(fd);
        (void)posix::close_socket(fd);
    }
}

}
