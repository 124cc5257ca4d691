// sys.hpp - the system calls of I/O, each once, so that test builds can put faults in their place, and what of them differs between
// systems.
#pragma once

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif

namespace corun::sys {

inline int close(int fd) noexcept { return ::close(fd); }
inline int fcntl_get(int fd, int what) noexcept { return ::fcntl(fd, what); }

#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
/// Close-on-exec and non-blocking, as what accept() gives.
inline int socket(int domain, int type, int protocol) noexcept { return ::socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol); }
inline int accept(int fd, sockaddr* peer, socklen_t* size) noexcept { return ::accept4(fd, peer, size, SOCK_CLOEXEC | SOCK_NONBLOCK); }
#else
/// In two steps, between which another thread may fork and exec: these systems have no better. -1, and closed, if they refuse.
inline int made_private(int fd) noexcept {
    if (fd < 0 || (::fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) >= 0))
        return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}
inline int socket(int domain, int type, int protocol) noexcept { return made_private(::socket(domain, type, protocol)); }
inline int accept(int fd, sockaddr* peer, socklen_t* size) noexcept { return made_private(::accept(fd, peer, size)); }
#endif

inline int bind(int fd, const sockaddr* where, socklen_t size) noexcept { return ::bind(fd, where, size); }
inline int listen(int fd, int backlog) noexcept { return ::listen(fd, backlog); }
inline int connect(int fd, const sockaddr* where, socklen_t size) noexcept { return ::connect(fd, where, size); }
inline int shutdown(int fd, int how) noexcept { return ::shutdown(fd, how); }
inline int getsockname(int fd, sockaddr* where, socklen_t* size) noexcept { return ::getsockname(fd, where, size); }
inline int getpeername(int fd, sockaddr* where, socklen_t* size) noexcept { return ::getpeername(fd, where, size); }

inline int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
    return ::getsockopt(fd, level, name, value, size);
}
inline int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
    return ::setsockopt(fd, level, name, value, size);
}

inline ssize_t recv(int fd, void* data, size_t size, int flags) noexcept { return ::recv(fd, data, size, flags); }
inline ssize_t recvmsg(int fd, msghdr* message, int flags) noexcept { return ::recvmsg(fd, message, flags); }
#if defined(MSG_NOSIGNAL)
constexpr int no_signal = MSG_NOSIGNAL;
#else
constexpr int no_signal = 0;
#endif

/// Where a flag of each send is not enough to keep SIGPIPE away, an option of the socket does it. A socket that is dead already refuses it.
inline void keep_sigpipe_away([[maybe_unused]] int fd) noexcept {
#if defined(SO_NOSIGPIPE)
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

inline ssize_t send(int fd, const void* data, size_t size, int flags) noexcept { return ::send(fd, data, size, flags); }
inline ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept { return ::sendmsg(fd, message, flags); }

inline int poll(pollfd* fds, nfds_t count, int milliseconds) noexcept { return ::poll(fds, count, milliseconds); }

/// What is ready now, repeated while signals interrupt it: they do that even to a poll that doesn't wait.
inline int poll_once(pollfd& p) noexcept {
    int count;
    do
        count = sys::poll(&p, 1, 0);
    while (count < 0 && errno == EINTR);
    return count;
}

inline ssize_t read(int fd, void* data, size_t size) noexcept { return ::read(fd, data, size); }
inline ssize_t write(int fd, const void* data, size_t size) noexcept { return ::write(fd, data, size); }

/// What wakes a loop: readable at the first end once something is written to the second. Linux has one descriptor that is both; there the
/// second is -1. Close-on-exec and non-blocking; false if the system refuses.
#if defined(EFD_NONBLOCK)
inline bool open_wake_pair(int (&ends)[2]) noexcept {
    ends[0] = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ends[1] = -1;
    return ends[0] >= 0;
}
#else
inline bool open_wake_pair(int (&ends)[2]) noexcept {
    if (::pipe(ends) < 0)
        return false;
    for (const int end : ends) {
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
        ::fcntl(end, F_SETFL, O_NONBLOCK);
    }
    return true;
}
#endif

inline int sigaction(int signal, const struct ::sigaction* wanted, struct ::sigaction* found) noexcept {
    return ::sigaction(signal, wanted, found);
}

}
