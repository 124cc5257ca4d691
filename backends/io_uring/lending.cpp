// lending.cpp - operations on their way to the kernel: a try, an entry of the ring, the request to end.
#include "io_uring_backend.hpp"

#include "../posix/attempt.hpp"
#include "../posix/operations.hpp"
#include "../posix/sockets.hpp"
#include "kinds.hpp"
#include "request.hpp"

#include <cassert>
#include <utility>

#include <poll.h>

namespace corun::uring {

submitted io_uring_backend::submit(operation& o) noexcept {
    const kind_row& kind = row_of(o.kind);
    if (kind.target == kind_target::none)
        return posix::submit_without_target(o);
    record* const r = records_.find(o.target);
    if (r && kind.ends_target)
        return submit_close(o);
    if (const std::int32_t refused = common::refusal_of(o, r, posix::refusals))
        return common::answer(o, refused);
    if (const auto ahead = takes_ahead_ ? ways_of(o).ahead : nullptr)
        if (const auto answered = (this->*ahead)(*r, o))
            return *answered;
    const bool tries = is_worth_a_try(*r, o);
    if (tries && try_once(*r, o))
        return submitted::finished;
    return lend(*r, o, tries) ? submitted::pending : common::answer(o, ENOMEM);
}

void io_uring_backend::perform(operation& o) noexcept { posix::perform(o); }

/// Finished at once, but for a descriptor that the kernel has not let go of: that one's last answer finishes it.
submitted io_uring_backend::submit_close(operation& o) noexcept {
    const std::error_code error = close(o.target);
    record& r = records_.at(o.target.index);
    if (!r.closing || r.generation != o.target.generation)
        return common::answer(o, error.value());
    r.closer = &o;
    o.state = operation_state::pending;
    return submitted::pending;
}

bool io_uring_backend::is_worth_a_try(const record& r, const operation& o) const noexcept {
    if (ways_of(o).goes_with_others)
        return !is_crowded_;
    return r.may_have_more || (common::directions_of(o) & ready::writable);
}

bool io_uring_backend::try_once(record& r, operation& o) noexcept {
    if (row_of(o.kind).answer == kind_answer::handle)
        return try_accept(r, o);
    const posix::attempted a = posix::attempt(r.fd, o);
    if (a != posix::attempted::finished && (common::directions_of(o) & ready::readable))
        r.may_have_more = a == posix::attempted::short_read && !r.is_stream();
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
    slot& s = r.occupy(o, common::directions_of(o));
    if (needs_extra(o) && !get_extra(s)) {
        r.vacate(o);
        return false;
    }
    s.at = slot::stage::chosen;
    s.polls = !ways_of(o).ask;
    s.was_in_vain = tried;
    o.state = operation_state::pending;
    listed_.add(r);
    return true;
}

bool io_uring_backend::get_extra(slot& s) noexcept {
    extra* const e = extras_.take();
    if (!e)
        return false;
    if (row_of(s.o->kind).answer == kind_answer::handle && !(e->accepted = records_.take())) {
        extras_.give_back(*e);
        return false;
    }
    s.more = e;
    return true;
}

void io_uring_backend::give_extra_back(slot& s) noexcept {
    extra* const e = std::exchange(s.more, nullptr);
    if (!e)
        return;
    if (record* const unused = std::exchange(e->accepted, nullptr))
        records_.give_back(*unused);
    extras_.give_back(*e);
}

bool io_uring_backend::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    if (row_of(o.kind).target == kind_target::none || !o.target)
        return false;                          // what has no handle is the pool's, or has its answer
    record& r = records_.at(o.target.index);   // closed it may be
    if (r.closer == &o) {                      // the descriptor is closed all the same
        r.closer = nullptr;
        o.finish(ECANCELED);
        finished_.push_back(o);
        return true;
    }
    return ask_to_end(r, r.slot_of(o));
}

/// True if it has ended.
bool io_uring_backend::ask_to_end(record& r, slot& s) noexcept {
    if (s.at == slot::stage::chosen || s.at == slot::stage::ahead) {
        s.o->finish(ECANCELED);
        leave(r, s);
        return true;
    }
    s.cancelled = s.asks = true;   // twice does no harm: a request that is not there any more is not found
    listed_.add(r);
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
        if (s.polls)
            write_poll(*e, r.fd, *s.o);
        else
            ways_of(*s.o).ask(*e, r.fd, s, ring_.has_poll_first());
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
