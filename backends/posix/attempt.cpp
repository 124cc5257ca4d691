// attempt.cpp - one system call a try; EINTR is no answer.
#include "attempt.hpp"

#include "../common/sockaddr.hpp"
#include "operations.hpp"
#include "sys.hpp"

#include <cstddef>

namespace corun::posix {
namespace {

bool is_would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

std::size_t total_size(const io_slice* slices, std::size_t count) noexcept {
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i)
        total += slices[i].size;
    return total;
}

/// Repeats `call` while signals interrupt it; would_block, or the answer.
template <class Call>
attempted transfer(operation& o, Call call) noexcept {
    ssize_t count;
    do
        count = call();
    while (count < 0 && errno == EINTR);
    if (count >= 0)
        o.finish(0, static_cast<std::size_t>(count));
    else if (is_would_block(errno))
        return attempted::would_block;
    else
        o.finish(errno);
    return attempted::finished;
}

attempted read(int fd, operation& o) noexcept {
    std::size_t asked = o.slices->size;
    attempted a;
    if (o.slice_count == 1) {
        a = transfer(o, [&]() noexcept { return sys::recv(fd, o.slices->data, o.slices->size, MSG_DONTWAIT); });
    } else {
        msghdr m = message_of(o);
        asked = total_size(o.slices, static_cast<std::size_t>(m.msg_iovlen));
        a = transfer(o, [&]() noexcept { return sys::recvmsg(fd, &m, MSG_DONTWAIT); });
    }
    return a == attempted::finished && o.count > 0 && o.count < asked ? attempted::short_read : a;
}

attempted write(int fd, operation& o) noexcept {
    constexpr int flags = MSG_DONTWAIT | sys::no_signal;
    if (o.slice_count == 1)
        return transfer(o, [&]() noexcept { return sys::send(fd, o.slices->data, o.slices->size, flags); });
    const msghdr m = message_of(o);
    return transfer(o, [&]() noexcept { return sys::sendmsg(fd, &m, flags); });
}

/// One that is asked first would wait itself: each try after a poll, also the next one when a connection has gone.
attempted accept(int fd, operation& o, bool asks_first) noexcept {
    common::native_address peer;
    int accepted = -1;
    int tries = 256;   // a listener that fails for ever must not keep the loop
    do {
        if (asks_first) {
            pollfd p{fd, POLLIN, 0};
            const int ready = sys::poll_once(p);
            if (ready == 0)
                return attempted::would_block;
            if (ready < 0)
                break;
        }
        peer.size = sizeof peer.v6;
        accepted = sys::accept(fd, peer.data(), &peer.size);
    } while (accepted < 0 && is_of_the_connection(errno) && --tries > 0);
    if (accepted < 0) {
        if (is_would_block(errno))
            return attempted::would_block;
        o.finish(errno);
        return attempted::finished;
    }
    sys::keep_sigpipe_away(accepted);
    if (o.peer)
        *o.peer = peer.portable();
    o.finish(0);
    o.native = accepted;
    return attempted::finished;
}

/// A connect that was started has its outcome in SO_ERROR, which is read once; 0 is also what a spurious report finds.
attempted look_at_connect(int fd, operation& o) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    if (sys::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0) {
        common::native_address peer;
        if (sys::getpeername(fd, peer.data(), &peer.size) < 0 && errno == ENOTCONN)
            return attempted::would_block;
    }
    o.finish(error);
    return attempted::finished;
}

attempted connect(int fd, operation& o) noexcept {
    if (o.begun)
        return look_at_connect(fd, o);
    const common::native_address where(*o.to);
    if (sys::connect(fd, where.data(), where.size) == 0) {
        o.finish(0);
        return attempted::finished;
    }
    if (errno == EINPROGRESS || errno == EINTR) {   // interrupted: it goes on all the same
        o.begun = true;
        return attempted::would_block;
    }
    o.finish(errno);
    return attempted::finished;
}

attempted poll(int fd, operation& o) noexcept {
    pollfd p{fd, 0, 0};
    if (o.wanted & ready::readable)
        p.events |= POLLIN;
    if (o.wanted & ready::writable)
        p.events |= POLLOUT;
    const int count = sys::poll_once(p);
    if (count == 0)
        return attempted::would_block;
    if (count < 0) {
        o.finish(errno);
        return attempted::finished;
    }
    o.finish(0);
    if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
        o.found = o.wanted;
    else
        o.found = static_cast<std::uint8_t>((p.revents & POLLIN ? ready::readable : 0) | (p.revents & POLLOUT ? ready::writable : 0));
    return attempted::finished;
}

attempted shutdown(int fd, operation& o) noexcept {
    o.finish(sys::shutdown(fd, SHUT_WR) < 0 ? errno : 0);
    return attempted::finished;
}

attempted accept_once(int fd, operation& o) noexcept { return accept(fd, o, false); }

/// How POSIX systems perform a kind.
struct kind_calls {
    attempted (*attempt)(int fd, operation&) noexcept = nullptr;   ///< never blocks; of kinds without a target, it always has the answer
    void (*perform)(operation&) noexcept = nullptr;                ///< blocks, on a thread of the pool; only of kinds without a target
};

constexpr kind_calls calls_for(operation_kind k) noexcept {
    switch (k) {
    case operation_kind::read: return {&read};
    case operation_kind::write: return {&write};
    case operation_kind::accept: return {&accept_once};
    case operation_kind::connect: return {&connect};
    case operation_kind::poll: return {&poll};
    case operation_kind::shutdown: return {&shutdown};
    case operation_kind::close: return {};   // the backend's: it knows what else the handle holds
    }
    return {};
}

using calls = kind_table<&calls_for>;

}

attempted attempt(int fd, operation& o) noexcept {
    if (const auto call = calls::of(o.kind).attempt)
        return call(fd, o);
    o.finish(refusals.not_supported);
    return attempted::finished;
}

attempted accept_after_poll(int fd, operation& o) noexcept { return accept(fd, o, true); }

submitted submit_without_target(operation& o) noexcept { return common::submit_without_target(calls::of(o.kind), -1, o, refusals); }

void perform(operation& o) noexcept { common::perform(calls::of(o.kind), o, refusals); }

}
