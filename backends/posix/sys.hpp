// sys.hpp - every system call once, so that test builds can put faults in their place.
#pragma once

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace corun::sys {

inline int socket(int domain, int type, int protocol) noexcept { return ::socket(domain, type, protocol); }
inline int close(int fd) noexcept { return ::close(fd); }
inline int fcntl_get(int fd, int what) noexcept { return ::fcntl(fd, what); }

inline int bind(int fd, const sockaddr* where, socklen_t size) noexcept { return ::bind(fd, where, size); }
inline int listen(int fd, int backlog) noexcept { return ::listen(fd, backlog); }
inline int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) noexcept { return ::accept4(fd, peer, size, flags); }
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
inline ssize_t send(int fd, const void* data, size_t size, int flags) noexcept { return ::send(fd, data, size, flags); }
inline ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept { return ::sendmsg(fd, message, flags); }

inline int poll(pollfd* fds, nfds_t count, int milliseconds) noexcept { return ::poll(fds, count, milliseconds); }
inline int eventfd(unsigned value, int flags) noexcept { return ::eventfd(value, flags); }
inline ssize_t read(int fd, void* data, size_t size) noexcept { return ::read(fd, data, size); }
inline ssize_t write(int fd, const void* data, size_t size) noexcept { return ::write(fd, data, size); }

inline int sigaction(int signal, const struct ::sigaction* wanted, struct ::sigaction* found) noexcept {
    return ::sigaction(signal, wanted, found);
}

}
