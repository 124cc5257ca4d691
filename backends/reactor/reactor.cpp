// reactor.cpp - see reactor.hpp. The rules of edges are in docs/backends/epoll.md.
#include "reactor.hpp"

#include "../common/clock.hpp"
#include "../posix/attempt.hpp"
#include "../posix/forks.hpp"
#include "../posix/operations.hpp"
#include "../posix/signals.hpp"
#include "../posix/sockets.hpp"

#include <cassert>

namespace corun {
namespace {

constexpr std::uint8_t both = registration::readable | registration::writable;

static_assert(ready::readable == registration::readable && ready::writable == registration::writable);

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

time_point reactor::now() const noexcept { return common::now(); }

waited reactor::wait(time_point deadline, operation_list& finished) noexcept {
    const bool woken = poller_->wait(finished_.empty() ? deadline : time_point::min(), ready_);
    // Nothing but this reads the batch, and no user code runs before it is used up: what is in it can not be closed.
    bool news = woken;
    while (registration* const r = ready_.pop_front()) {
        take_news(*r);
        news = true;   // also if no operation wanted it: the poller may have begun to look for something else
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
    const kind_row& kind = row_of(o.kind);
    if (kind.target == kind_target::none)
        return posix::submit_without_target(o);
    registration* const r = records_.find(o.target);
    if (r && kind.ends_target)
        return common::answer(o, close(o.target).value());
    if (const std::int32_t refused = common::refusal_of(o, r, posix::refusals))
        return common::answer(o, refused);
    if ((r->ready & common::directions_of(o)) && try_once(*r, o))
        return submitted::finished;
    // Seen by the poller only now: a fresh socket would report a hang-up, and one that never waits costs nothing.
    if (!r->attached) {
        if (const std::error_code refused = poller_->attach(*r))
            return common::answer(o, refused.value());
        r->attached = true;
    }
    park(*r, o);
    return submitted::pending;
}

bool reactor::try_once(registration& r, operation& o) noexcept {
    if (row_of(o.kind).answer == kind_answer::handle)
        return try_accept(r, o);
    const posix::attempted a = posix::attempt(r.fd, o);
    if (a == posix::attempted::would_block) {
        r.ready = static_cast<std::uint8_t>(r.ready & ~common::directions_of(o));
        return false;
    }
    if (r.type == posix::descriptor_type::tcp_stream) {
        if (a == posix::attempted::short_read && r.attached && !(r.ready & registration::unusual))
            r.ready = static_cast<std::uint8_t>(r.ready & ~registration::readable);
        posix::note_end(r, o);
    }
    return true;
}

bool reactor::try_accept(registration& r, operation& o) noexcept {
    if (posix::try_accept(records_, r, o, binding()))
        return true;
    r.ready = static_cast<std::uint8_t>(r.ready & ~registration::readable);
    return false;
}

void reactor::perform(operation& o) noexcept { posix::perform(o); }

void reactor::park(registration& r, operation& o) noexcept {
    const std::uint8_t directions = common::directions_of(o);
    o.state = operation_state::pending;
    if (directions & registration::readable)
        r.reader = &o;
    if (directions & registration::writable)
        r.writer = &o;
    poller_->arm(r);
}

bool reactor::cancel(operation& o) noexcept {
    assert(o.state == operation_state::pending);
    registration* const r = records_.find(o.target);
    if (!r)
        return false;   // what has no handle is the pool's, or has its answer
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

handle reactor::bind_record(registration& r, int fd, posix::descriptor_type type) noexcept {
    r.fd = fd;
    r.next = nullptr;
    r.ready = both;
    r.type = type;
    return {r.index, r.generation};
}

}
