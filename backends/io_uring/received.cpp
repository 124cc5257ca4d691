// received.cpp - reads from a standing request: each takes the bytes that are there, or waits for the next ones.
#include "io_uring_backend.hpp"

#include "../posix/operations.hpp"
#include "../posix/socket.hpp"

#include <new>
#include <utility>

namespace corun::uring {

/// Only where it was asked for, for streams that nobody else reads from.
bool io_uring_backend::receives_ahead(record& r) noexcept {
    if (!pool_.is_lent() || !r.is_stream() || r.is_adopted)
        return false;
    if (!r.receives)
        r.receives.reset(new (std::nothrow) receive_ahead);
    return r.receives != nullptr;
}

/// Nothing: the socket itself is asked, as nothing of it can have come ahead.
std::optional<submitted> io_uring_backend::read_from_ahead(record& r, operation& o) noexcept {
    if (!receives_ahead(r))
        return std::nullopt;
    receive_ahead& a = *r.receives;
    if (give_received(r, o))
        return submitted::finished;
    if (a.is_over || a.is_refused)
        return std::nullopt;
    if (!a.is_lent && is_worth_a_try(r, o) && try_once(r, o)) {
        a.begins = false;
        return submitted::finished;
    }
    return wait_for_ahead(r, o);
}

/// Whether bytes are here already; if not, they stay with the kernel, which is asked.
std::optional<submitted> io_uring_backend::poll_from_ahead(record& r, operation& o) noexcept {
    if (!r.receives || !(o.wanted & ready::readable))
        return std::nullopt;
    stop_standing(r);
    if (r.receives->bytes.is_empty() && !r.receives->error)
        return std::nullopt;
    o.finish(0);
    o.found = ready::readable;
    return submitted::finished;
}

/// The bytes that are here; after them the error with which they ended, once. False if there is neither.
bool io_uring_backend::give_received(record& r, operation& o) noexcept {
    receive_ahead& a = *r.receives;
    if (!a.bytes.is_empty()) {
        o.finish(0, pool_.copy(a.bytes, o.slices, o.slice_count));
        return true;
    }
    if (!a.error)
        return false;
    o.finish(std::exchange(a.error, 0));
    note_end(r, o);
    return true;
}

void io_uring_backend::take_bytes(record& r, const io_uring_cqe& answer) noexcept {
    receive_ahead& a = *r.receives;
    if (answer.flags & IORING_CQE_F_BUFFER) {
        const auto buffer = static_cast<std::uint16_t>(answer.flags >> IORING_CQE_BUFFER_SHIFT);
        if (answer.res > 0 && !r.closing) {
            pool_.add(a.bytes, buffer, static_cast<std::size_t>(answer.res));
        } else {
            pool_.give_back(buffer);
            a.is_unread = a.is_unread || answer.res > 0;
        }
    }
    if (answer.res == 0)
        a.is_over = true;
    else if (answer.res < 0 && !a.is_lent)
        take_receive_error(r, -answer.res);
    if (r.reader.at == slot::stage::ahead)
        serve_reader(r);
    if (a.bytes.size >= most_received_)
        end_standing(r);
    if (!a.is_lent)
        r.may_have_more = true;
}

void io_uring_backend::take_receive_error(record& r, int error) noexcept {
    receive_ahead& a = *r.receives;
    switch (error) {
    case ECANCELED:   // asked to, or the kernel's own doing
    case EINTR: break;
    case ENOBUFS:   // those of others wait to be read
        if (r.reader.at == slot::stage::ahead && a.bytes.is_empty())
            leave_to_plain(r);
        break;
    case EINVAL:
    case EAGAIN:
    case EOPNOTSUPP: a.is_refused = true; break;
    default: a.is_over = true; a.error = error;
    }
}

/// The read that waits has what came.
void io_uring_backend::serve_reader(record& r) noexcept {
    receive_ahead& a = *r.receives;
    operation& o = *r.reader.o;
    if (!give_received(r, o)) {
        if (!a.is_over) {
            if (a.is_refused)
                leave_to_plain(r);
            return;
        }
        o.finish(0);
        note_end(r, o);
    }
    leave(r, r.reader);
}

/// A peer whose bytes were not read sees a reset, as the kernel does it with those that it holds.
void io_uring_backend::drop_received(record& r) noexcept {
    if (!r.receives)
        return;
    if (r.fd >= 0 && (r.receives->is_unread || !r.receives->bytes.is_empty()))
        let_close_reset(r.fd);
    pool_.drop(r.receives->bytes);
}

}
