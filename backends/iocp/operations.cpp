// operations.cpp - operations on their way to the system and back.
#include "../common/directions.hpp"
#include "../common/refusal.hpp"
#include "attempt.hpp"
#include "iocp_backend.hpp"
#include "kinds.hpp"
#include "winsock.hpp"

#include <cassert>
#include <utility>

namespace corun::iocp {
namespace {

constexpr common::refusal_codes refusals{.no_such_handle = WSAEBADF, .not_supported = WSAEOPNOTSUPP};

}

submitted iocp_backend::submit(operation& o) noexcept {
    const kind_row& kind = row_of(o.kind);
    if (kind.target == kind_target::none)
        return common::submit_without_target(ways_of(o), INVALID_SOCKET, o, refusals);
    record* const r = records_.find(o.target);
    if (r && kind.ends_target)
        return common::answer(o, close(o.target).value());
    if (const std::int32_t refused = common::refusal_of(o, r, refusals))
        return common::answer(o, refused);
    if (!ways_of(o).attempt && !ways_of(o).begin)
        return common::answer(o, refusals.not_supported);
    // A reader that has emptied the socket would try in vain.
    const bool tries = ways_of(o).attempt && ((common::directions_of(o) & ready::writable) || r->may_have_more);
    if (tries && try_once(*r, o))
        return submitted::finished;
    return lend(*r, o);
}

void iocp_backend::perform(operation& o) noexcept { common::perform(ways_of(o), o, refusals); }

bool iocp_backend::try_once(record& r, operation& o) noexcept {
    if (row_of(o.kind).answer == kind_answer::handle)
        return try_accept(r, o);
    if (ways_of(o).attempt(r.socket, o) == attempted::would_block) {
        if (common::directions_of(o) & ready::readable)
            r.may_have_more = false;
        return false;
    }
    note_end(r, o);
    return true;
}

bool iocp_backend::try_accept(record& r, operation& o) noexcept {
    // The record first: without memory for it no connection may be taken from the system.
    record* const accepted = records_.take();
    if (!accepted) {
        o.finish(ERROR_NOT_ENOUGH_MEMORY);
        return true;
    }
    const attempted a = ways_of(o).attempt(r.socket, o);
    if (a == attempted::would_block)
        r.may_have_more = false;
    if (a == attempted::would_block || o.error != 0) {
        records_.give_back(*accepted);
        return a == attempted::finished;
    }
    const SOCKET taken = static_cast<SOCKET>(o.native);
    if (const std::error_code error = bind_foreign(*accepted, taken, r.family)) {
        ::closesocket(taken);
        records_.give_back(*accepted);
        o.finish(error.value());
        return true;
    }
    if (r.nodelay)
        set_nodelay(taken);
    o.accepted = {accepted->index, accepted->generation};
    return true;
}

/// The operation becomes the system's, or has its answer: that it could not, or that it was done at once.
submitted iocp_backend::lend(record& r, operation& o) noexcept {
    slot& s = r.occupy(o, common::directions_of(o));
    s.polls = !ways_of(o).begin;
    s.cancelled = false;
    o.state = operation_state::pending;
    int code = row_of(o.kind).answer == kind_answer::handle ? get_extra(r, s) : 0;
    if (code == 0 && ask(r, s))
        return submitted::pending;
    if (code != 0) {
        o.finish(code);
        leave(r, s);
    }
    // Its answer came at once: its packet is no news.
    operation* const done = finished_.pop_front();
    assert(done == &o && finished_.empty());
    (void)done;
    return submitted::finished;
}

/// Asks the system for the answer, or when to try. False if the operation has its answer.
bool iocp_backend::ask(record& r, slot& s) noexcept {
    s.is_lent = true;
    ++lent_;
    int code = 0;
    if (s.polls) {
        code = afd_.ask(r.socket, common::directions_of(*s.o), s.poll, s.overlapped);
    } else {
        s.overlapped = OVERLAPPED();
        code = ways_of(*s.o).begin(r, s);
    }
    if (code == WSA_IO_PENDING || (code == 0 && (s.polls || !r.skips)))
        return true;
    take_answer(r, s, code, code == 0 ? s.overlapped.InternalHigh : 0);
    return s.is_lent;   // it may have been asked anew
}

int iocp_backend::get_extra(record& r, slot& s) noexcept {
    result<socket_owner> made = open_socket(r.family);
    if (!made)
        return made.error().value();
    extra* const e = extras_.take();
    if (!e)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (!(e->accepted = records_.take())) {
        extras_.give_back(*e);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    e->socket = made->release();
    s.more = e;
    return 0;
}

void iocp_backend::give_extra_back(slot& s) noexcept {
    extra* const e = std::exchange(s.more, nullptr);
    if (!e)
        return;
    if (const SOCKET unused = std::exchange(e->socket, INVALID_SOCKET); unused != INVALID_SOCKET)
        ::closesocket(unused);
    if (record* const unused = std::exchange(e->accepted, nullptr))
        records_.give_back(*unused);
    extras_.give_back(*e);
}

/// The system's answer: to the operation, or that it is worth a try now.
void iocp_backend::take_answer(record& r, slot& s, int code, std::size_t count) noexcept {
    operation& o = *s.o;
    --lent_;
    s.is_lent = false;
    if (!r.is_open() || (s.cancelled && s.polls)) {
        // Of a socket that was closed the codes differ; bytes that have come all the same are the answer.
        if (code != 0 || s.polls || row_of(o.kind).answer != kind_answer::count)
            o.finish(ERROR_OPERATION_ABORTED);
        else
            o.finish(0, count);
        leave(r, s);
        return;
    }
    if (s.polls && code == 0) {
        // Asked so, some systems say it to nobody else: a read would find the end.
        if (was_reset(s.poll) && row_of(o.kind).answer == kind_answer::ready)
            r.lost = WSAECONNRESET;
        if (try_once(r, o))
            leave(r, s);
        else
            (void)ask(r, s);
        return;
    }
    if ((this->*ways_of(o).take)(r, s, code, count))
        leave(r, s);
}

bool iocp_backend::take_transferred(record& r, slot& s, int code, std::size_t count) noexcept {
    operation& o = *s.o;
    o.finish(transfer_error(code), count);
    if (row_of(o.kind).zero_is_end)
        r.may_have_more = code == 0 && (o.slice_count != 1 || count == o.slices->size);
    note_end(r, o);
    return true;
}

bool iocp_backend::take_accepted(record& r, slot& s, int code, std::size_t) noexcept {
    if (is_of_the_connection(code) && !s.cancelled) {
        give_extra_back(s);
        code = get_extra(r, s);
        if (code == 0) {
            (void)ask(r, s);
            return false;
        }
    }
    s.o->finish(code);
    if (code == 0)
        take_connection(r, s);
    return true;
}

bool iocp_backend::take_connected(record& r, slot& s, int code, std::size_t) noexcept {
    s.o->finish(code);
    if (code == 0)
        update_connected(r.socket);
    return true;
}

void iocp_backend::take_connection(record& listener, slot& s) noexcept {
    operation& o = *s.o;
    extra& e = *s.more;
    update_accepted(e.socket, listener.socket);
    if (listener.nodelay)
        set_nodelay(e.socket);
    write_peer(e, o);
    if (const std::error_code error = bind_record(*e.accepted, e.socket, listener.family)) {
        o.finish(error.value());
        return;   // the socket goes with what belonged to the accept
    }
    e.socket = INVALID_SOCKET;
    const record& accepted = *std::exchange(e.accepted, nullptr);
    o.accepted = {accepted.index, accepted.generation};
    listener.may_have_more = true;
}

void iocp_backend::note_end(record& r, operation& o) noexcept {
    const kind_row& kind = row_of(o.kind);
    const bool sends = kind.answer == kind_answer::count && (kind.directions & ready::writable);
    if (sends && ends_connection(o.error) && r.lost != 0)
        o.error = WSAESHUTDOWN;   // told before: from then on it is a broken pipe, which here has the same code again
    else if (ends_connection(o.error))
        r.lost = o.error;
    else if (kind.zero_is_end && o.error == 0 && o.count == 0)
        o.error = r.lost;   // the system may tell it once only
}

/// The operation has its answer: it gives its slots back.
void iocp_backend::leave(record& r, slot& s) noexcept {
    operation& o = *s.o;
    give_extra_back(s);
    r.vacate(o);
    finished_.push_back(o);
    if (!r.is_open() && r.are_free())
        end(r);
}

bool iocp_backend::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    if (row_of(o.kind).target == kind_target::none || !o.target)
        return false;                          // what has no handle is the pool's, or has its answer
    record& r = records_.at(o.target.index);   // closed it may be
    ask_to_end(r, r.slot_of(o));
    return false;
}

/// Its answer comes in any case, this one or its own.
void iocp_backend::ask_to_end(record& r, slot& s) noexcept {
    if (std::exchange(s.cancelled, true) || !r.is_open())
        return;
    if (s.polls)
        afd_.cancel(s.overlapped);
    else
        ::CancelIoEx(reinterpret_cast<HANDLE>(r.socket), &s.overlapped);
}

}
