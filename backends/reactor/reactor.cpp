// reactor.cpp - see reactor.hpp. The rules of edges are in docs/backends/epoll.md.
#include "reactor.hpp"

#include "../posix/clock.hpp"
#include "../posix/forks.hpp"
#include "../posix/operations.hpp"
#include "../posix/signals.hpp"
#include "../posix/sockets.hpp"

#include <cassert>

namespace corun {
namespace {

constexpr std::uint8_t both = registration::readable | registration::writable;

static_assert(ready::readable == registration::readable && ready::writable == registration::writable);

submitted answer(operation& o, int error) noexcept {
    o.finish(error);
    return submitted::finished;
}

}

reactor::reactor(std::unique_ptr<poller> p, std::string_view name) : poller_(std::move(p)), name_(name) { posix::watch_forks(); }

reactor::~reactor() {
    records_.for_each([this](registration& r) {
        if (!r.is_open())
            return;
        if (r.attached)
            poller_->detach(r);
        sys::close(r.fd);
    });
}

time_point reactor::now() const noexcept { return posix::now(); }

waited reactor::wait(time_point deadline, operation_list& finished) noexcept {
    const bool woken = poller_->wait(finished_.empty() ? deadline : time_point::min(), ready_);
    // Nothing but this reads the batch, and no user code runs before it is used up: nobody can close what is in it.
    bool news = woken;
    while (registration* const r = ready_.pop_front()) {
        take_news(*r);
        news = true;   // also if nobody wanted it: the poller may have begun to look for something else
    }
    news = news || !finished_.empty();
    finished.splice_back(finished_);
    return news ? waited::news : waited::nothing;
}

void reactor::take_news(registration& r) noexcept {
    r.ready = static_cast<std::uint8_t>(r.ready | r.reported);
    r.reported = 0;
    if (r.reader && (r.ready & registration::readable))
        retry(r, *r.reader);
    if (r.writer && (r.ready & registration::writable))
        retry(r, *r.writer);
}

void reactor::retry(registration& r, operation& o) noexcept {
    if (try_once(r, o))
        leave(r, o);
    else
        poller_->arm(r);
}

submitted reactor::submit(operation& o) noexcept {
    registration* const r = records_.find(o.target);
    if (!r)
        return answer(o, EBADF);
    const std::uint8_t directions = posix::directions_of(o);
    if (directions == 0)
        return answer(o, EOPNOTSUPP);
    if (r->wanted() & directions)
        return answer(o, EBUSY);
    if ((r->ready & directions) && try_once(*r, o))
        return submitted::finished;
    // Seen by the poller only now: a fresh socket would report a hang-up, and one that never waits costs nothing.
    if (!r->attached) {
        if (const std::error_code refused = poller_->attach(*r))
            return answer(o, refused.value());
        r->attached = true;
    }
    park(*r, o);
    return submitted::pending;
}

bool reactor::try_once(registration& r, operation& o) noexcept {
    if (o.kind == operation_kind::accept)
        return try_accept(r, o);
    const posix::attempted a = posix::attempt(r.fd, o);
    if (a == posix::attempted::would_block) {
        r.ready = static_cast<std::uint8_t>(r.ready & ~posix::directions_of(o));
        return false;
    }
    if (a == posix::attempted::short_read && r.attached && r.is_stream && !(r.ready & registration::unusual))
        r.ready = static_cast<std::uint8_t>(r.ready & ~registration::readable);
    if (posix::ends_connection(o.error))
        r.lost = o.error;
    else if (o.kind == operation_kind::read && o.error == 0 && o.count == 0)
        o.error = r.lost;   // the kernel tells it once, then calls it the end
    return true;
}

bool reactor::try_accept(registration& r, operation& o) noexcept {
    if (posix::try_accept(records_, r, o, binding()))
        return true;
    r.ready = static_cast<std::uint8_t>(r.ready & ~registration::readable);
    return false;
}

void reactor::park(registration& r, operation& o) noexcept {
    const std::uint8_t directions = posix::directions_of(o);
    o.state = operation_state::pending;
    if (directions & registration::readable)
        r.reader = &o;
    if (directions & registration::writable)
        r.writer = &o;
    poller_->arm(r);
}

void reactor::perform(operation& o) noexcept { o.finish(EOPNOTSUPP); }

bool reactor::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    if (registration* const r = records_.find(o.target))
        end_canceled(*r, o);
    return true;
}

void reactor::end_canceled(registration& r, operation& o) noexcept {
    o.finish(ECANCELED);
    leave(r, o);
}

/// The operation has its answer: it gives its slots back.
void reactor::leave(registration& r, operation& o) noexcept {
    if (r.reader == &o)
        r.reader = nullptr;
    if (r.writer == &o)
        r.writer = nullptr;
    finished_.push_back(o);
}

result<handle> reactor::open(socket_type type) noexcept { return posix::open_handle(records_, type, binding()); }

result<handle> reactor::adopt(native_handle native, handle_kind kind) noexcept {
    return posix::adopt_handle(records_, native, kind, binding());
}

std::error_code reactor::control(handle h, control_request& request) noexcept {
    registration* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    if (request.kind == control_kind::release)
        return release(*r, request.native);
    return posix::control_socket(r->fd, request);
}

std::error_code reactor::release(registration& r, native_handle& native) noexcept {
    if (r.wanted())
        return {EBUSY, std::system_category()};
    native = r.fd;
    forget(r);
    return {};
}

std::error_code reactor::close(handle h) noexcept {
    registration* const r = records_.find(h);
    if (!r)
        return {EBADF, std::system_category()};
    if (r->reader)
        end_canceled(*r, *r->reader);
    if (r->writer)
        end_canceled(*r, *r->writer);
    const int fd = r->fd;
    forget(*r);
    return posix::close_socket(fd);
}

/// The record no longer stands for its descriptor.
void reactor::forget(registration& r) noexcept {
    if (r.attached)
        poller_->detach(r);
    ++r.generation;
    records_.give_back(r);
}

void reactor::block(time_point deadline) noexcept {
    if (!finished_.empty())
        return;
    poller_->block(deadline);
}

bool reactor::catch_interrupts(interrupt_counter& c) noexcept { return posix::catch_interrupts(c); }

void reactor::release_interrupts(interrupt_counter& c) noexcept { posix::release_interrupts(c); }

handle reactor::bind_record(registration& r, int fd, bool is_stream) noexcept {
    r.fd = fd;
    r.next = nullptr;
    r.ready = both;
    r.is_stream = is_stream;
    return {r.index, r.generation};
}

}
