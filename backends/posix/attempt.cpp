// attempt.cpp - one system call a try; EINTR is no answer.
#include "attempt.hpp"

#include "operations.hpp"
#include "sockaddr.hpp"
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

/// What is ready now, repeated while signals interrupt it: they do that even to a poll that doesn't wait.
int poll_once(pollfd& p) noexcept {
    int count;
    do
        count = sys::poll(&p, 1, 0);
    while (count < 0 && errno == EINTR);
    return count;
}

/// One that is asked first would wait itself: each try after a poll, also the next one when a connection has gone.
attempted accept(int fd, operation& o, bool asks_first) noexcept {
    native_address peer;
    int accepted = -1;
    int tries = 256;   // a listener that fails for ever must not keep the loop
    do {
        if (asks_first) {
            pollfd p{fd, POLLIN, 0};
            const int ready = poll_once(p);
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
    if (o.argument)
        *static_cast<address*>(o.argument) = peer.portable();
    o.value = accepted;
    o.finish(0);
    return attempted::finished;
}

/// A connect that was started has its outcome in SO_ERROR, which is read once; 0 is also what a spurious report finds.
attempted look_at_connect(int fd, operation& o) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    if (sys::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0) {
        native_address peer;
        if (sys::getpeername(fd, peer.data(), &peer.size) < 0 && errno == ENOTCONN)
            return attempted::would_block;
    }
    o.finish(error);
    return attempted::finished;
}

attempted connect(int fd, operation& o) noexcept {
    constexpr int started = 1;
    if (o.value == started)
        return look_at_connect(fd, o);
    const native_address where(*static_cast<const address*>(o.argument));
    if (sys::connect(fd, where.data(), where.size) == 0) {
        o.finish(0);
        return attempted::finished;
    }
    if (errno == EINPROGRESS || errno == EINTR) {   // interrupted: it goes on all the same
        o.value = started;
        return attempted::would_block;
    }
    o.finish(errno);
    return attempted::finished;
}

attempted poll(int fd, operation& o) noexcept {
    pollfd p{fd, 0, 0};
    if (o.value & ready::readable)
        p.events |= POLLIN;
    if (o.value & ready::writable)
        p.events |= POLLOUT;
    const int count = poll_once(p);
    if (count == 0)
        return attempted::would_block;
    if (count < 0) {
        o.finish(errno);
        return attempted::finished;
    }
    if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0)
        o.value = (p.revents & POLLIN ? ready::readable : 0) | (p.revents & POLLOUT ? ready::writable : 0);
    o.finish(0);
    return attempted::finished;
}

attempted shutdown(int fd, operation& o) noexcept {
    o.finish(sys::shutdown(fd, SHUT_WR) < 0 ? errno : 0);
    return attempted::finished;
}

}

attempted attempt(int fd, operation& o) noexcept {
    switch (o.kind) {
    case operation_kind::read: return read(fd, o);
    case operation_kind::write: return write(fd, o);
    case operation_kind::accept: return accept(fd, o, false);
    case operation_kind::connect: return connect(fd, o);
    case operation_kind::poll: return poll(fd, o);
    case operation_kind::shutdown: return shutdown(fd, o);
    }
    o.finish(EOPNOTSUPP);
    return attempted::finished;
}

attempted accept_after_poll(int fd, operation& o) noexcept { return accept(fd, o, true); }

}
