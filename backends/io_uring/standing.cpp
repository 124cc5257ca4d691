// standing.cpp - multishot requests: begun, ended, answered, whatever they bring.
#include "io_uring_backend.hpp"

#include "../posix/socket.hpp"
#include "request.hpp"

#include <sys/socket.h>

namespace corun::uring {

void let_close_reset(int fd) noexcept {
    control_request reset(control_kind::set_option);
    reset.option = socket_option::linger_zero;
    reset.value = 1;
    (void)posix::control_socket(fd, reset);
}

/// The operation waits for what the request brings.
submitted io_uring_backend::wait_for_ahead(record& r, operation& o) noexcept {
    r.reader = slot();
    r.reader.o = &o;
    r.reader.at = slot::stage::ahead;
    o.state = operation_state::pending;
    begin_standing(r);
    return submitted::pending;
}

/// The operation that waits is lent on its own.
void io_uring_backend::leave_to_plain(record& r) noexcept {
    slot& s = r.reader;
    if (needs_extra(*s.o) && !get_extra(s)) {
        s.o->finish(ENOMEM);
        leave(r, s);
        return;
    }
    s.at = slot::stage::chosen;
    listed_.add(r);
}

void io_uring_backend::begin_standing(record& r) noexcept {
    standing_request& request = *r.standing();
    if (request.is_lent || request.begins || r.closing)
        return;
    request.begins = true;
    listed_.add(r);
}

void io_uring_backend::end_standing(record& r) noexcept {
    standing_request& request = *r.standing();
    request.begins = false;
    if (!request.is_lent)
        return;
    request.asks_end = true;
    listed_.add(r);
}

/// Returns when the kernel has let go; that takes no time, as nothing of it waits for anybody.
void io_uring_backend::stop_standing(record& r) noexcept {
    if (!r.standing())
        return;
    end_standing(r);
    while (r.standing()->is_lent) {
        hand_over();
        ring_.flush();
        collect();
    }
}

bool io_uring_backend::hand_over_standing(record& r) noexcept {
    standing_request& request = *r.standing();
    if (request.begins) {
        io_uring_sqe* const e = ring_.entry();
        if (!e)
            return false;
        if (r.accepts) {
            ::io_uring_prep_multishot_accept(e, r.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        } else {
            ::io_uring_prep_recv_multishot(e, r.fd, nullptr, 0, 0);
            e->flags = static_cast<decltype(e->flags)>(e->flags | IOSQE_BUFFER_SELECT);
            e->buf_group = buffer_pool::group;
        }
        ::io_uring_sqe_set_data64(e, mark_of_standing(r));
        request.begins = false;
        request.is_lent = true;
        ++lent_;
    }
    if (request.asks_end) {
        if (!ask_kernel_to_end(mark_of_standing(r)))
            return false;
        request.asks_end = false;
    }
    return true;
}

void io_uring_backend::take_standing(record& r, const io_uring_cqe& answer) noexcept {
    standing_request& request = *r.standing();
    if (!(answer.flags & IORING_CQE_F_MORE)) {
        --lent_;
        request.is_lent = request.asks_end = false;
    }
    if (r.receives)
        take_bytes(r, answer);
    else if (answer.res >= 0)
        take_connection_ahead(r, answer.res);
    else if (!request.is_lent)
        take_accept_error(r, -answer.res);
    if (r.reader.at == slot::stage::ahead)
        begin_standing(r);
    if (r.closing && !r.is_lent())
        close_error_ = end(r);
}

}
