// interposer.cpp - the C library's calls: see faults.hpp.
#include "decide.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace faults {
namespace {

bool is_eventfd(int fd) noexcept {
    char path[] = "/proc/self/fd/0000000000";
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char target[32] = {};
    return ::readlink(path, target, sizeof target - 1) > 0 && std::strcmp(target, "anon_inode:[eventfd]") == 0;
}

bool is_socket(int fd) noexcept {
    static auto* const f = real<int(int, int, int, void*, socklen_t*)>("getsockopt");
    const int kept = errno;
    int type = 0;
    socklen_t size = sizeof type;
    const bool is = f(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    errno = kept;
    return is;
}

/// Before a wake is made: it may come late. True if it is to be made twice.
bool is_odd_wake() noexcept {
    if (!one_of_hundred(current().odd_wakes))
        return false;
    inject(errno);
    const bool twice = draw(2) == 0;
    if (!twice)
        ::usleep(1000);
    return twice;
}

/// What a poller was told last of each descriptor. A socket that has more than a faulty try says is told as a new edge, as the system
/// itself never does that to an edge-triggered poller.
class registrations {
public:
    void note(int epoll, int what, int fd, const epoll_event* e) {
        const std::lock_guard lock(mutex_);
        if (fd < 0 || fd >= most)
            return;
        known_[fd] = what == EPOLL_CTL_DEL || !e ? known{} : known{epoll, *e};
    }
    void tell_again(int fd) {
        const std::lock_guard lock(mutex_);
        if (fd < 0 || fd >= most || known_[fd].epoll < 0)
            return;
        static auto* const control = real<int(int, int, int, epoll_event*)>("epoll_ctl");
        control(known_[fd].epoll, EPOLL_CTL_MOD, fd, &known_[fd].event);
    }

private:
    static constexpr int most = 20'000;
    struct known {
        int epoll = -1;
        epoll_event event{};
    };
    std::mutex mutex_;
    known known_[most];
};

registrations all_registrations;

/// A try on a socket: interrupted, refused as if it would block, or failing.
bool try_fails(int fd, calls kind) noexcept {
    const int kept = errno;
    if (is_interrupted() || fails(kind))
        return true;
    if (kind == calls::moving_bytes && fails(calls::taking_memory))
        return true;
    if (one_of_hundred(current().would_block)) {
        all_registrations.tell_again(fd);
        return inject(EAGAIN);
    }
    errno = kept;
    return false;
}

std::size_t shortened(std::size_t size) noexcept {
    if (!current().tiny || size <= 1)
        return size;
    inject(errno);
    return 1;
}

/// After a short read an edge-triggered poller may take the socket for emptied.
void tell_rest(int fd) noexcept {
    if (current().tiny)
        all_registrations.tell_again(fd);
}

/// One byte of the first buffer that has any.
struct short_message {
    explicit short_message(const msghdr& m) noexcept : message(m) {
        if (!current().tiny)
            return;
        std::size_t i = 0;
        while (i + 1 < m.msg_iovlen && m.msg_iov[i].iov_len == 0)
            ++i;
        if (m.msg_iovlen == 0 || m.msg_iov[i].iov_len == 0)
            return;
        one = {m.msg_iov[i].iov_base, shortened(m.msg_iov[i].iov_len)};
        message.msg_iov = &one;
        message.msg_iovlen = 1;
    }
    msghdr message;
    iovec one{};
};

bool accept_fails(int listener) noexcept {
    if (!is_lost())
        return false;
    const int error = errno;
    if (current().takes_lost_ones) {
        static auto* const accept_really = real<int(int, sockaddr*, socklen_t*)>("accept");
        ::close(accept_really(listener, nullptr, nullptr));
    }
    errno = error;
    return true;
}

}
}

using namespace faults;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
    static auto* const f = real<int(int, int, int)>("socket");
    return fails(calls::making_descriptors) ? -1 : f(domain, type, protocol);
}

int eventfd(unsigned value, int flags) noexcept {
    static auto* const f = real<int(unsigned, int)>("eventfd");
    return fails(calls::making_descriptors) ? -1 : f(value, flags);
}

int epoll_create1(int flags) noexcept {
    static auto* const f = real<int(int)>("epoll_create1");
    return fails(calls::making_descriptors) ? -1 : f(flags);
}

int timerfd_create(clockid_t which, int flags) noexcept {
    static auto* const f = real<int(clockid_t, int)>("timerfd_create");
    return fails(calls::making_descriptors) ? -1 : f(which, flags);
}

int pipe2(int ends[2], int flags) noexcept {
    static auto* const f = real<int(int*, int)>("pipe2");
    return fails(calls::making_descriptors) ? -1 : f(ends, flags);
}

int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
    static auto* const f = real<int(int, sockaddr*, socklen_t*, int)>("accept4");
    if (fails(calls::making_descriptors) || accept_fails(fd) || try_fails(fd, calls::taking_memory))
        return -1;
    return f(fd, peer, size, flags);
}

int listen(int fd, int backlog) noexcept {
    static auto* const f = real<int(int, int)>("listen");
    return fails(calls::taking_memory) ? -1 : f(fd, backlog);
}

/// Interrupted, it goes on all the same.
int connect(int fd, const sockaddr* where, socklen_t size) {
    static auto* const f = real<int(int, const sockaddr*, socklen_t)>("connect");
    if (fails(calls::taking_memory))
        return -1;
    const int answer = f(fd, where, size);
    const int error = errno;
    const bool goes_on = answer == 0 ? (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 : error == EINPROGRESS;
    if (goes_on && is_interrupted())
        return -1;
    errno = error;
    return answer;
}

/// How a connection that was begun came out.
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
    static auto* const f = real<int(int, int, int, void*, socklen_t*)>("getsockopt");
    const int answer = f(fd, level, name, value, size);
    if (answer == 0 && level == SOL_SOCKET && name == SO_ERROR && fails(calls::moving_bytes))
        *static_cast<int*>(value) = errno;
    return answer;
}

/// Interrupted, a socket is closed all the same.
int close(int fd) {
    static auto* const f = real<int(int)>("close");
    const bool may_be_interrupted = current().interrupted > 0 && is_socket(fd);
    const int answer = f(fd);
    return answer == 0 && may_be_interrupted && is_interrupted() ? -1 : answer;
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
    static auto* const f = real<ssize_t(int, void*, size_t, int)>("recv");
    if (try_fails(fd, calls::moving_bytes))
        return -1;
    tell_rest(fd);
    return f(fd, data, shortened(size), flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
    static auto* const f = real<ssize_t(int, const void*, size_t, int)>("send");
    return try_fails(fd, calls::moving_bytes) ? -1 : f(fd, data, shortened(size), flags);
}

ssize_t recvmsg(int fd, msghdr* m, int flags) {
    static auto* const f = real<ssize_t(int, msghdr*, int)>("recvmsg");
    if (try_fails(fd, calls::moving_bytes))
        return -1;
    tell_rest(fd);
    short_message less(*m);
    return f(fd, &less.message, flags);
}

ssize_t sendmsg(int fd, const msghdr* m, int flags) {
    static auto* const f = real<ssize_t(int, const msghdr*, int)>("sendmsg");
    if (try_fails(fd, calls::moving_bytes))
        return -1;
    const short_message less(*m);
    return f(fd, &less.message, flags);
}

/// Of what a loop is woken by.
ssize_t read(int fd, void* data, size_t size) {
    static auto* const f = real<ssize_t(int, void*, size_t)>("read");
    return current().interrupted > 0 && is_eventfd(fd) && is_interrupted() ? -1 : f(fd, data, size);
}

/// To an eventfd, whose writes are of eight bytes, it may come twice or late, or be refused as if the count were full.
ssize_t write(int fd, const void* data, size_t size) {
    static auto* const f = real<ssize_t(int, const void*, size_t)>("write");
    const plan& p = current();
    if ((p.interrupted > 0 || p.odd_wakes > 0 || p.refused_wakes > 0) && size == sizeof(std::uint64_t) && is_eventfd(fd)) {
        if (is_interrupted() || (one_of_hundred(p.refused_wakes) && inject(EAGAIN)))
            return -1;
        if (is_odd_wake())
            f(fd, data, size);
    }
    return f(fd, data, size);
}

int poll(pollfd* fds, nfds_t count, int milliseconds) {
    static auto* const f = real<int(pollfd*, nfds_t, int)>("poll");
    return is_interrupted() ? -1 : f(fds, count, milliseconds);
}

int epoll_wait(int epoll, epoll_event* events, int size, int milliseconds) {
    static auto* const f = real<int(int, epoll_event*, int, int)>("epoll_wait");
    return is_interrupted() ? -1 : f(epoll, events, size, milliseconds);
}

int epoll_pwait(int epoll, epoll_event* events, int size, int milliseconds, const sigset_t* mask) {
    static auto* const f = real<int(int, epoll_event*, int, int, const sigset_t*)>("epoll_pwait");
    return is_interrupted() ? -1 : f(epoll, events, size, milliseconds, mask);
}

int epoll_ctl(int epoll, int what, int fd, epoll_event* e) noexcept {
    static auto* const f = real<int(int, int, int, epoll_event*)>("epoll_ctl");
    if (what != EPOLL_CTL_DEL && fails(calls::registering))
        return -1;
    // The emulated kqueue's wake.
    if (what == EPOLL_CTL_MOD && current().odd_wakes > 0 && is_eventfd(fd) && is_odd_wake())
        f(epoll, what, fd, e);
    const int answer = f(epoll, what, fd, e);
    if (answer == 0)
        all_registrations.note(epoll, what, fd, e);
    return answer;
}

/// For epoll_pwait2, which older C libraries have no function for.
long syscall(long number, ...) noexcept {
    static auto* const f = real<long(long, ...)>("syscall");
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& one : a)
        one = va_arg(list, long);
    va_end(list);
    if (number == 441 && is_interrupted())   // SYS_epoll_pwait2
        return -1;
    return f(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
}
