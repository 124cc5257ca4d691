// answers.cpp - operations on their way back: what the kernel's answer means, and what is begun anew.
#include "io_uring_backend.hpp"

#include "../posix/attempt.hpp"
#include "../posix/fatal.hpp"
#include "../posix/operations.hpp"
#include "kinds.hpp"
#include "request.hpp"

#include <cassert>
#include <utility>

namespace corun::uring {

int io_uring_backend::collect() noexcept {
    return ring_.take_answers([this](const io_uring_cqe& a) noexcept { take_answer(a); });
}

void io_uring_backend::take_answer(const io_uring_cqe& a) noexcept {
    if (a.user_data == of_nobody)
        return;
    if (a.user_data == of_wakes) {
        if (a.res == -EBADF)
            posix::fatal("corun: the descriptor that wakes a loop was closed or replaced by somebody else\n");
        woken_ = true;
        watches_wakes_ = (a.flags & IORING_CQE_F_MORE) != 0;
        return;
    }
    if (a.user_data & standing_bit) {
        take_standing(*reinterpret_cast<record*>(static_cast<std::uintptr_t>(a.user_data - standing_bit)), a);
        return;
    }
    operation& o = *reinterpret_cast<operation*>(static_cast<std::uintptr_t>(a.user_data));
    record& r = records_.at(o.target.index);
    slot& s = r.slot_of(o);
    assert(s.o == &o && s.at == slot::stage::lent);
    --lent_;
    s.at = slot::stage::idle;
    if (a.res == -ECANCELED && !s.cancelled)
        begin_anew(r, s, s.polls);   // the kernel's own doing
    else if (s.polls && a.res >= 0)
        try_again(r, s);
    else
        take_transfer(r, s, a);
}

/// The kernel's answer to a request that performs an operation, or an error of any.
void io_uring_backend::take_transfer(record& r, slot& s, const io_uring_cqe& a) noexcept {
    operation& o = *s.o;
    const int error = a.res < 0 ? -a.res : 0;
    // Not an answer: interrupted, or an older kernel that doesn't wait for a socket that never blocks.
    if (error == EINTR || error == EAGAIN || (error && ways_of(o).is_spurious && ways_of(o).is_spurious(error))) {
        begin_anew(r, s, error == EAGAIN || !ways_of(o).ask);   // some can only be polled for
        return;
    }
    const std::size_t count = error ? 0 : static_cast<std::size_t>(a.res);
    o.finish(error, count);
    if (const auto take = ways_of(o).take)
        (this->*take)(r, s, a);
    note_end(r, o);
    leave(r, s);
}

void io_uring_backend::take_accepted(record& r, slot& s, const io_uring_cqe& a) noexcept {
    operation& o = *s.o;
    r.may_have_more = o.error == 0;
    if (o.error != 0)
        return;
    if (o.peer)
        *o.peer = s.more->peer.portable();
    take_connection(s, a.res);
}

void io_uring_backend::take_received(record& r, slot& s, const io_uring_cqe& a) noexcept {
    // An older kernel doesn't say: a stream that gave less than it was asked for is empty.
    const operation& o = *s.o;
    const bool was_short = r.is_stream() && o.slice_count == 1 && o.count < o.slices->size;
    r.may_have_more = ring_.has_poll_first() ? (a.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0 : !was_short;
}

void io_uring_backend::take_connection(slot& s, int fd) noexcept {
    record* const accepted = std::exchange(s.more->accepted, nullptr);
    s.o->accepted = bind_record(*accepted, fd, posix::descriptor_type::tcp_stream);
}

/// The kernel says that the descriptor is ready: so does the try, or the report was spurious.
void io_uring_backend::try_again(record& r, slot& s) noexcept {
    operation& o = *s.o;
    posix::attempted a;
    const bool opens = row_of(o.kind).answer == kind_answer::handle;
    if (opens && r.asks_first)
        a = posix::accept_after_poll(r.fd, o);
    else
        a = posix::attempt(r.fd, o);
    if (a == posix::attempted::would_block) {
        begin_anew(r, s, true);
        return;
    }
    if (common::directions_of(o) & ready::readable)
        r.may_have_more = a == posix::attempted::finished || !r.is_stream();
    if (opens && o.error == 0)
        take_connection(s, static_cast<int>(o.native));
    note_end(r, o);
    leave(r, s);
}

/// Once more, unless it was asked to end.
void io_uring_backend::begin_anew(record& r, slot& s, bool polls) noexcept {
    if (s.cancelled) {
        s.o->finish(ECANCELED);
        leave(r, s);
        return;
    }
    s.polls = polls;
    s.at = slot::stage::chosen;
    listed_.add(r);
}

void io_uring_backend::note_end(record& r, operation& o) noexcept {
    if (r.is_stream())
        posix::note_end(r, o);
}

/// The operation has its answer: it gives its slots back.
void io_uring_backend::leave(record& r, slot& s) noexcept {
    operation& o = *s.o;
    give_extra_back(s);
    if (s.at == slot::stage::ahead && r.accepts && r.accepts->accepted)
        records_.give_back(*std::exchange(r.accepts->accepted, nullptr));
    r.vacate(o);
    finished_.push_back(o);
    if (r.closing && !r.is_lent())
        close_error_ = end(r);
}

}
