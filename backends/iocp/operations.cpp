// operations.cpp - operations on their way to the system and back.
#include "../posix/directions.hpp"
#include "attempt.hpp"
#include "iocp_backend.hpp"
#include "winsock.hpp"

#include <cassert>
#include <new>
#include <utility>

namespace corun::iocp {
namespace {

submitted answer(operation& o, int code) noexcept {
    o.finish(code);
    return submitted::finished;
}

}

submitted iocp_backend::submit(operation& o) noexcept {
    record* const r = records_.find(o.target);
    if (!r)
        return answer(o, WSAEBADF);
    const std::uint8_t directions = posix::directions_of(o);
    if (directions == 0)
        return answer(o, WSAEOPNOTSUPP);
    if (((directions & ready::readable) && r->reader.o) || ((directions & ready::writable) && r->writer.o))
        return answer(o, ERROR_BUSY);
    // A connect has nothing to try; a reader that has emptied the socket would try in vain.
    const bool tries = o.kind != operation_kind::connect && ((directions & ready::writable) || r->may_have_more);
    if (tries && try_once(*r, o))
        return submitted::finished;
    return lend(*r, o);
}

bool iocp_backend::try_once(record& r, operation& o) noexcept {
    if (o.kind == operation_kind::accept)
        return try_accept(r, o);
    if (attempt(r.socket, o) == attempted::would_block) {
        if (posix::directions_of(o) & ready::readable)
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
    SOCKET taken = INVALID_SOCKET;
    const attempted a = attempt_accept(r.socket, o, taken);
    if (a == attempted::would_block)
        r.may_have_more = false;
    if (a == attempted::would_block || o.error != 0) {
        records_.give_back(*accepted);
        return a == attempted::finished;
    }
    if (const std::error_code error = bind_foreign(*accepted, taken, r.family)) {
        ::closesocket(taken);
        records_.give_back(*accepted);
        o.finish(error.value());
        return true;
    }
    o.accepted = {accepted->index, accepted->generation};
    return true;
}

/// The operation becomes the system's, or has its answer: that it could not, or that it was done at once.
submitted iocp_backend::lend(record& r, operation& o) noexcept {
    const std::uint8_t directions = posix::directions_of(o);
    slot& s = directions & ready::readable ? r.reader : r.writer;
    s.o = &o;
    if (directions & ready::writable)
        r.writer.o = &o;
    s.polls = o.kind == operation_kind::write || o.kind == operation_kind::poll;
    s.cancelled = false;
    o.state = operation_state::pending;
    int code = o.kind == operation_kind::accept ? get_extra(r, s) : 0;
    if (code == 0 && ask(r, s))
        return submitted::pending;
    if (code != 0) {
        o.finish(code);
        leave(r, s);
    }
    // Its answer came at once: it is nobody's news.
    operation* const done = finished_.pop_front();
    assert(done == &o && finished_.empty());
    (void)done;
    return submitted::finished;
}

/// Asks the system for the answer, or when to try. False if the operation has its answer.
bool iocp_backend::ask(record& r, slot& s) noexcept {
    s.is_lent = true;
    ++lent_;
    const int code = s.polls ? afd_.ask(r.socket, posix::directions_of(*s.o), s.poll, s.overlapped) : begin(r, s);
    if (code == WSA_IO_PENDING || (code == 0 && (s.polls || !r.skips)))
        return true;
    take_answer(r, s, code, code == 0 ? s.overlapped.InternalHigh : 0);
    return s.is_lent;   // it may have been asked anew
}

int iocp_backend::get_extra(record& r, slot& s) noexcept {
    if (!free_extras_ && !(free_extras_ = new (std::nothrow) extra))
        return ERROR_NOT_ENOUGH_MEMORY;
    extra* const e = free_extras_;
    result<socket_owner> made = open_socket(r.family);
    if (!made)
        return made.error().value();
    if (!(e->accepted = records_.take()))
        return ERROR_NOT_ENOUGH_MEMORY;
    e->socket = made->release();
    free_extras_ = e->next;
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
    e->next = free_extras_;
    free_extras_ = e;
}

/// The system's answer: to the operation, or that it is worth a try now.
void iocp_backend::take_answer(record& r, slot& s, int code, std::size_t count) noexcept {
    operation& o = *s.o;
    --lent_;
    s.is_lent = false;
    if (!r.is_open() || (s.cancelled && s.polls)) {
        // Of a socket that was closed the codes differ; bytes that have come all the same are the answer.
        if (code != 0 || s.polls || o.kind == operation_kind::connect || o.kind == operation_kind::accept)
            o.finish(ERROR_OPERATION_ABORTED);
        else
            o.finish(0, count);
        leave(r, s);
        return;
    }
    if (s.polls && code == 0) {
        // Asked so, some systems say it to nobody else: a read would find the end.
        if (was_reset(s.poll) && o.kind == operation_kind::poll)
            r.lost = WSAECONNRESET;
        if (try_once(r, o))
            leave(r, s);
        else
            (void)ask(r, s);
        return;
    }
    switch (o.kind) {
    case operation_kind::accept:
        if (is_of_the_connection(code) && !s.cancelled) {
            give_extra_back(s);
            code = get_extra(r, s);
            if (code == 0) {
                (void)ask(r, s);
                return;
            }
        }
        o.finish(code);
        if (code == 0)
            take_connection(r, s);
        break;
    case operation_kind::connect:
        o.finish(code);
        if (code == 0)
            update_connected(r.socket);
        break;
    default:
        o.finish(transfer_error(code), count);
        if (o.kind == operation_kind::read)
            r.may_have_more = code == 0 && (o.slice_count != 1 || count == o.slices->size);
        note_end(r, o);
    }
    leave(r, s);
}

void iocp_backend::take_connection(record& listener, slot& s) noexcept {
    operation& o = *s.o;
    extra& e = *s.more;
    update_accepted(e.socket, listener.socket);
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
    if (o.kind == operation_kind::write && ends_connection(o.error) && r.lost != 0)
        o.error = WSAESHUTDOWN;   // told before: from then on it is a broken pipe, which here has the same code again
    else if (ends_connection(o.error))
        r.lost = o.error;
    else if (o.kind == operation_kind::read && o.error == 0 && o.count == 0)
        o.error = r.lost;   // the system may tell it once only
}

/// The operation has its answer: it gives its slots back.
void iocp_backend::leave(record& r, slot& s) noexcept {
    operation& o = *s.o;
    give_extra_back(s);
    for (slot* const each : {&r.reader, &r.writer})
        if (each->o == &o)
            each->o = nullptr;
    finished_.push_back(o);
    if (!r.is_open() && !r.reader.o && !r.writer.o)
        end(r);
}

bool iocp_backend::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
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
