// io_uring_backend.cpp - see io_uring_backend.hpp. What of the kernel it leans on is in docs/backends/io_uring.md.
#include "io_uring_backend.hpp"

#include "../posix/attempt.hpp"
#include "../posix/clock.hpp"
#include "../posix/forks.hpp"
#include "../posix/operations.hpp"
#include "../posix/signals.hpp"
#include "../posix/socket.hpp"
#include "request.hpp"

#include <cassert>
#include <chrono>
#include <climits>
#include <new>

namespace corun {
namespace uring {
namespace {

// Answers are marked with their operation, or with one of these.
constexpr std::uint64_t of_nobody = 0;   // that a cancel was heard: the operation's own answer counts
constexpr std::uint64_t of_wakes = 1;

/// The kernel prepares 20 answers at a time; more are fetched in one wait, but tasks are to run, too.
constexpr int most_answers = 256;

/// For how long a wait sleeps while the kernel takes no request.
constexpr duration retry_time = std::chrono::milliseconds(1);

/// With so many answers in one wait, writes go to the kernel together, in one call; with fewer, each at once is faster.
constexpr int crowd = 4;

submitted answer(operation& o, int error) noexcept {
    o.finish(error);
    return submitted::finished;
}

std::uint64_t mark_of(const operation& o) noexcept { return reinterpret_cast<std::uintptr_t>(&o); }

slot& slot_of(record& r, const operation& o) noexcept { return r.reader.o == &o ? r.reader : r.writer; }

}

io_uring_backend::io_uring_backend(const io_uring_options& options) : ring_(options), process_(::getpid()) { posix::watch_forks(); }

io_uring_backend::~io_uring_backend() {
    // The ring of a forked child is its parent's: nothing is asked of it. Else only closes may still be on their way.
    if (::getpid() == process_) {
        while (lent_ > 0) {
            hand_over();
            ring_.enter(no_deadline);
            collect();
        }
    }
    records_.for_each([](const record& r) {
        if (r.fd >= 0)
            sys::close(r.fd);
    });
    while (extra* const e = free_extras_) {
        free_extras_ = e->next;
        delete e;
    }
}

time_point io_uring_backend::now() const noexcept { return posix::now(); }

waited io_uring_backend::wait(time_point deadline, operation_list& finished) noexcept {
    start();
    // Before the answers are looked at: what comes after this makes it readable again.
    if (handle_)
        handle_->drain();
    int taken = 0;
    for (;;) {
        hand_over();
        if (woken_ || !finished_.empty())
            deadline = time_point::min();
        else if (listed_.first())
            deadline = std::min(deadline, now() + retry_time);
        ring_.enter(deadline);
        const int now_taken = collect();
        taken += now_taken;
        if (now_taken == 0 || (!listed_.first() && !ring_.has_more()))
            break;
        if (taken >= most_answers) {
            if (handle_)
                handle_->wake();   // of what is left nobody would be told again
            break;
        }
    }
    is_crowded_ = taken >= crowd;
    const bool news = woken_ || !finished_.empty();
    woken_ = false;
    finished.splice_back(finished_);
    return news ? waited::news : waited::nothing;
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
    record* const accepted = records_.take();
    if (!accepted) {
        o.finish(ENOMEM);
        return true;
    }
    if ((r.asks_first ? posix::accept_after_poll(r.fd, o) : posix::attempt(r.fd, o)) == posix::attempted::would_block) {
        records_.give_back(*accepted);
        r.may_have_more = false;
        return false;
    }
    if (o.error != 0)
        records_.give_back(*accepted);
    else
        o.accepted = bind_record(*accepted, o.value, true);
    return true;
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

void io_uring_backend::perform(operation& o) noexcept { o.finish(EOPNOTSUPP); }

void io_uring_backend::start() noexcept {
    if (!started_)
        ring_.start();
    started_ = true;
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

bool io_uring_backend::hand_over(record& r) noexcept { return hand_over(r, r.reader) && hand_over(r, r.writer); }

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
        io_uring_sqe* const e = ring_.entry();
        if (!e)
            return false;
        // By its mark, never by the descriptor's number, which may be somebody else's by then.
        ::io_uring_prep_cancel64(e, mark_of(*s.o), 0);
        ::io_uring_sqe_set_data64(e, of_nobody);
        if (ring_.has_quiet_success())
            e->flags = static_cast<decltype(e->flags)>(e->flags | IOSQE_CQE_SKIP_SUCCESS);
        s.asks = false;
    }
    return true;
}

int io_uring_backend::collect() noexcept {
    return ring_.take_answers([this](const io_uring_cqe& a) noexcept { take_answer(a); });
}

void io_uring_backend::take_answer(const io_uring_cqe& a) noexcept {
    if (a.user_data == of_nobody)
        return;
    if (a.user_data == of_wakes) {
        woken_ = true;
        watches_wakes_ = (a.flags & IORING_CQE_F_MORE) != 0;
        return;
    }
    operation& o = *reinterpret_cast<operation*>(static_cast<std::uintptr_t>(a.user_data));
    record& r = records_.at(o.target.index);
    slot& s = slot_of(r, o);
    assert(s.o == &o && s.at == slot::stage::lent);
    --lent_;
    s.at = slot::stage::idle;
    s.asks = false;
    if (a.res == -ECANCELED && !s.cancelled)
        begin_anew(r, s, s.polls);   // the kernel's own doing
    else if (s.polls && a.res >= 0)
        try_again(r, s);
    else
        take_transfer(r, s, a);
}

/// The kernel's answer to a read, a write or an accept, or an error of any.
void io_uring_backend::take_transfer(record& r, slot& s, const io_uring_cqe& a) noexcept {
    operation& o = *s.o;
    const int error = a.res < 0 ? -a.res : 0;
    // Not an answer: interrupted, or an older kernel that doesn't wait for a socket that never blocks.
    if (error == EINTR || error == EAGAIN || (o.kind == operation_kind::accept && posix::is_of_the_connection(error))) {
        begin_anew(r, s, error == EAGAIN);
        return;
    }
    const std::size_t count = error ? 0 : static_cast<std::size_t>(a.res);
    o.finish(error, count);
    if (o.kind == operation_kind::accept) {
        r.may_have_more = error == 0;
        if (error == 0) {
            if (o.argument)
                *static_cast<address*>(o.argument) = s.more->peer.portable();
            take_connection(s, a.res);
        }
    } else if (o.kind == operation_kind::read) {
        // An older kernel doesn't say: a stream that gave less than it was asked for is empty.
        const bool was_short = r.is_stream && o.slice_count == 1 && count < o.slices->size;
        r.may_have_more = ring_.has_poll_first() ? (a.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0 : !was_short;
    }
    note_end(r, o);
    leave(r, s);
}

void io_uring_backend::take_connection(slot& s, int fd) noexcept {
    record* const accepted = std::exchange(s.more->accepted, nullptr);
    s.o->accepted = bind_record(*accepted, fd, true);
}

/// The kernel says that the descriptor is ready: so does the try, or the report was spurious.
void io_uring_backend::try_again(record& r, slot& s) noexcept {
    operation& o = *s.o;
    posix::attempted a;
    if (o.kind == operation_kind::accept && r.asks_first)
        a = posix::accept_after_poll(r.fd, o);
    else
        a = posix::attempt(r.fd, o);
    if (a == posix::attempted::would_block) {
        begin_anew(r, s, true);
        return;
    }
    if (posix::directions_of(o) & ready::readable)
        r.may_have_more = a == posix::attempted::finished || !r.is_stream;
    if (o.kind == operation_kind::accept && o.error == 0)
        take_connection(s, o.value);
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
    if (posix::ends_connection(o.error))
        r.lost = o.error;
    else if (o.kind == operation_kind::read && o.error == 0 && o.count == 0)
        o.error = r.lost;   // the kernel tells it once, then calls it the end
}

/// The operation has its answer: it gives its slots back.
void io_uring_backend::leave(record& r, slot& s) noexcept {
    operation& o = *s.o;
    give_extra_back(s);
    for (slot* const each : {&r.reader, &r.writer})
        if (each->o == &o)
            *each = slot();
    finished_.push_back(o);
    if (r.closing && !r.reader.o && !r.writer.o)
        close_error_ = end(r);
}

bool io_uring_backend::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    record& r = records_.at(o.target.index);   // closed it may be
    return ask_to_end(r, slot_of(r, o));
}

/// True if it has ended.
bool io_uring_backend::ask_to_end(record& r, slot& s) noexcept {
    if (s.at == slot::stage::chosen) {
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

result<handle> io_uring_backend::open(socket_type type) noexcept {
    record* const r = records_.take();
    if (!r)
        return std::error_code(ENOMEM, std::system_category());
    result<posix::fd> made = posix::open_socket(type);
    if (!made) {
        records_.give_back(*r);
        return made.error();
    }
    return bind_record(*r, made->release(), true);
}

result<handle> io_uring_backend::adopt(native_handle native, handle_kind kind) noexcept {
    if (native < 0 || native > INT_MAX)
        return std::error_code(EBADF, std::system_category());
    const int fd = static_cast<int>(native);
    if (const std::error_code wrong = posix::check_kind(fd, kind))
        return wrong;
    record* const r = records_.take();
    if (!r)
        return std::error_code(ENOMEM, std::system_category());
    const handle h = bind_record(*r, fd, kind == handle_kind::tcp_stream);
    r->asks_first = kind == handle_kind::tcp_listener && posix::is_blocking(fd);
    return h;
}

std::error_code io_uring_backend::control(handle h, control_request& request) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    if (request.kind == control_kind::release)
        return release(*r, request.native);
    return posix::control_socket(r->fd, request);
}

std::error_code io_uring_backend::release(record& r, native_handle& native) noexcept {
    if (r.reader.o || r.writer.o)
        return {EBUSY, std::system_category()};
    native = std::exchange(r.fd, -1);
    (void)end(r);
    return {};
}

std::error_code io_uring_backend::close(handle h) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    // An operation has one slot that acts; where it has both, the other one is idle.
    for (slot* const s : {&r->reader, &r->writer})
        if (s->at != slot::stage::idle)
            (void)ask_to_end(*r, *s);
    if (!r->reader.o && !r->writer.o)
        return end(*r);
    r->closing = true;
    close_error_.clear();
    // The kernel lets go of a socket while it is asked to, so that the number is free when this returns. Should it need longer, the
    // last answer closes it.
    hand_over();
    ring_.flush();
    collect();
    return close_error_;
}

/// The record no longer stands for its descriptor, which is closed unless it was given away.
std::error_code io_uring_backend::end(record& r) noexcept {
    std::error_code error;
    // Interrupted or not, the number is free again.
    if (r.fd >= 0 && sys::close(r.fd) < 0 && errno != EINTR)
        error = posix::last_error();
    listed_.remove(r);
    ++r.generation;
    records_.give_back(r);
    return error;
}

handle io_uring_backend::bind_record(record& r, int fd, bool is_stream) noexcept {
    r.fd = fd;
    r.is_stream = is_stream;
    r.may_have_more = true;
    return {r.index, r.generation};
}

native_handle io_uring_backend::wait_handle() noexcept {
    if (!handle_) {
        try {
            handle_.emplace();
        } catch (const std::system_error&) {
            return no_native_handle;
        }
        if (!ring_.notify(handle_->get())) {
            handle_.reset();
            return no_native_handle;
        }
        handle_->wake();   // answers that are there already
    }
    return handle_->get();
}

void io_uring_backend::block(time_point deadline) noexcept {
    if (!finished_.empty() || woken_ || wait_handle() == no_native_handle)
        return;
    posix::wait_readable(handle_->get(), deadline);
}

bool io_uring_backend::catch_interrupts(interrupt_counter& c) noexcept { return posix::catch_interrupts(c); }

void io_uring_backend::release_interrupts(interrupt_counter& c) noexcept { posix::release_interrupts(c); }

}

std::unique_ptr<backend> make_io_uring() { return make_io_uring(io_uring_options()); }

std::unique_ptr<backend> make_io_uring(const io_uring_options& options) { return std::make_unique<uring::io_uring_backend>(options); }

}
