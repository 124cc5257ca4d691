// sys_epoll.hpp - the system calls that only Linux has, once each.
#pragma once

#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

namespace corun::sys {

inline int epoll_create1(int flags) noexcept { return ::epoll_create1(flags); }
inline int epoll_ctl(int epoll, int what, int fd, epoll_event* e) noexcept { return ::epoll_ctl(epoll, what, fd, e); }
inline int epoll_wait(int epoll, epoll_event* events, int size, int milliseconds) noexcept {
    return ::epoll_wait(epoll, events, size, milliseconds);
}

/// By its number: older C libraries have no function for it. A null `timeout` is none.
inline int epoll_pwait2(int epoll, epoll_event* events, int size, const __kernel_timespec* timeout) noexcept {
    return static_cast<int>(::syscall(SYS_epoll_pwait2, epoll, events, size, timeout, nullptr, 0));
}

}
