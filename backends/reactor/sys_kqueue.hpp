// sys_kqueue.hpp - the system calls of macOS and the BSDs, once each.
#pragma once

#include <sys/types.h>
// After sys/types.h: older systems' header leans on it.
#include <sys/event.h>

#include <fcntl.h>
#include <time.h>

namespace corun::sys {

/// Close-on-exec; a forked child has none in any case.
inline int kqueue() noexcept {
    const int made = ::kqueue();
    if (made >= 0)
        ::fcntl(made, F_SETFD, FD_CLOEXEC);
    return made;
}

/// A null `timeout` is none.
inline int kevent(int kqueue, const struct ::kevent* changes, int change_count, struct ::kevent* events, int event_count,
                  const timespec* timeout) noexcept {
    return ::kevent(kqueue, changes, change_count, events, event_count, timeout);
}

}
