// lending.cpp - operations on their way to the kernel: a try, an entry of the ring, the request to end.
#include "io_uring_backend.hpp"

#include "../posix/operations.hpp"
#include "../posix/sockets.hpp"
#include "request.hpp"

#include <cassert>
#include <new>
#include <utility>

#include <poll.h>

namespace corun::uring {
namespace {

submitted answer(operation& o, int error) noexcept {
    o.finish(error);
    return submitted::finished;
}

}

submitted io_uring_backend::submit(operation& o) noexcept {
    record* const r = records_.find(o.target);
    if (!r)
        return answer(o, EBADF);
    const std::uint8_t directions = posix::directions_of(o);
    if (directions == 0)
        return answer(o, EOPNOTSUPP);
    if (((directions & ready::readable) && r->reader.o) || ((directions & ready::writable) && r->writer.o))
        return answer(o, EBUSY);
    if (o.kind == operation_kind::accept && accepts_ahead(*r))
        return accept_early(*r, o);
    if (o.kind == operation_kind::read && receives_ahead(*r, o)) {
        if (const auto early = read_early(*r, o))
            return *early;
    } else if (o.kind == operation_kind::poll && is_readable_early(*r, o)) {
        return submitted::finished;
    }
    const bool tries = is_worth_a_try(*r, o);
    if (tries && try_once(*r, o))
        return submitted::finished;
    return lend(*r, o, tries) ? submitted::pending : answer(o, ENOMEM);
}

bool io_uring_backend::is_worth_a_try(const record& r, const operation& o) const noexcept {
    if (o.kind == operation_kind::write)
        return !is_crowded_;
    return r.may_have_more || (posix::directions_of(o) & ready::writable);
}

bool io_uring_backend::try_once(record& r, operation& o) noexcept {
    if (o.kind == operation_kind::accept)
        return try_accept(r, o);
    const posix::attempted a = posix::attempt(r.fd, o);
    if (a != posix::attempted::finished && (posix::directions_of(o) & ready::readable))
        r.may_have_more = a == posix::attempted::short_read && !r.is_stream;
    if (a == posix::attempted::would_block)
        return false;
    note_end(r, o);
    return true;
}

bool io_uring_backend::try_accept(record& r, operation& o) noexcept {
    if (posix::try_accept(records_, r, o, binding()))
        return true;
    r.may_have_more = false;
    return false;
}

/// False without memory for what the request needs; then nothing has happened.
bool io_uring_backend::lend(record& r, operation& o, bool tried) noexcept {
    const std::uint8_t directions = posix::directions_of(o);
    slot& s = directions & ready::readable ? r.reader : r.writer;
    s = slot();
    s.o = &o;
    if (needs_extra(o) && !get_extra(s)) {
        s = slot();
        return false;
    }
    s.at = slot::stage::chosen;
    s.polls = is_polled(o);
    s.was_in_vain = tried;
    if (directions & ready::writable)
        r.writer.o = &o;
    o.state = operation_state::pending;
    listed_.add(r);
    return true;
}

bool io_uring_backend::get_extra(slot& s) noexcept {
    if (!free_extras_ && !(free_extras_ = new (std::nothrow) extra))
        return false;
    extra* const e = free_extras_;
    if (s.o->kind == operation_kind::accept && !(e->accepted = records_.take()))
        return false;
    free_extras_ = e->next;
    s.more = e;
    return true;
}

void io_uring_backend::give_extra_back(slot& s) noexcept {
    extra* const e = std::exchange(s.more, nullptr);
    if (!e)
        return;
    if (record* const unused = std::exchange(e->accepted, nullptr))
        records_.give_back(*unused);
    e->next = free_extras_;
    free_extras_ = e;
}

bool io_uring_backend::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    record& r = records_.at(o.target.index);   // closed it may be
    return ask_to_end(r, r.slot_of(o));
}

/// True if it has ended.
bool io_uring_backend::ask_to_end(record& r, slot& s) noexcept {
    if (s.at == slot::stage::chosen || s.at == slot::stage::early) {
        s.o->finish(ECANCELED);
        leave(r, s);
        return true;
    }
    if (!s.cancelled) {
        s.cancelled = true;
        s.asks = true;
        listed_.add(r);
    }
    return false;
}

/// One request for all wakes: each write to the descriptor is an answer of its own.
void io_uring_backend::watch_wakes() noexcept {
    io_uring_sqe* const e = ring_.entry();
    if (!e)
        return;
    ::io_uring_prep_poll_multishot(e, wake_.get(), POLLIN);
    ::io_uring_sqe_set_data64(e, of_wakes);
    watches_wakes_ = true;
}

/// Writes entries for all that is listed, as far as the kernel takes them; the rest stays listed.
void io_uring_backend::hand_over() noexcept {
    if (!watches_wakes_)
        watch_wakes();
    while (record* const r = listed_.first()) {
        if (!hand_over(*r))
            return;
        listed_.remove(*r);
    }
}

bool io_uring_backend::hand_over(record& r) noexcept {
    return hand_over(r, r.reader) && hand_over(r, r.writer) && (!r.standing() || hand_over_standing(r));
}

bool io_uring_backend::hand_over(record& r, slot& s) noexcept {
    if (s.at == slot::stage::chosen) {
        io_uring_sqe* const e = ring_.entry();
        if (!e)
            return false;
        write_request(*e, r.fd, s, ring_.has_poll_first());
        ::io_uring_sqe_set_data64(e, mark_of(*s.o));
        s.at = slot::stage::lent;
        ++lent_;
    }
    if (s.asks) {
        if (!ask_kernel_to_end(mark_of(*s.o)))
            return false;
        s.asks = false;
    }
    return true;
}

/// By the request's mark, never by the descriptor's number, which may be somebody else's by then.
bool io_uring_backend::ask_kernel_to_end(std::uint64_t mark) noexcept {
    io_uring_sqe* const e = ring_.entry();
    if (!e)
        return false;
    ::io_uring_prep_cancel64(e, mark, 0);
    ::io_uring_sqe_set_data64(e, of_nobody);
    if (ring_.has_quiet_success())
        e->flags = static_cast<decltype(e->flags)>(e->flags | IOSQE_CQE_SKIP_SUCCESS);
    return true;
}

}
