// wake_fd.hpp - a descriptor that any thread and any signal handler can make readable.
#pragma once

#include "fatal.hpp"
#include "fd.hpp"

#include <cstdint>
#include <system_error>

namespace corun::posix {

class wake_fd {
public:
    /// Throws std::system_error if the system refuses a descriptor.
    wake_fd() {
        int ends[2];
        if (!sys::open_wake_pair(ends))
            throw std::system_error(errno, std::system_category(), "corun: a descriptor to be woken by");
        fd_ = fd(ends[0]);
        to_write_ = fd(ends[1]);
    }

    int get() const noexcept { return fd_.get(); }

    /// Each call is an edge, where it is an eventfd. Leaves errno alone, for handlers.
    void wake() noexcept {
        const int kept = errno;
        const std::uint64_t one = 1;
        while (sys::write(to_write_ ? to_write_.get() : fd_.get(), &one, sizeof one) < 0) {
            if (errno == EAGAIN)   // the count is full: emptied, it takes the edge
                drain();
            else if (errno != EINTR)
                fatal("corun: the descriptor that wakes a loop was closed or replaced by somebody else\n");
        }
        errno = kept;
    }

    /// Takes the edges so far, where level counts.
    void drain() noexcept {
        std::uint64_t some[64];
        while (sys::read(fd_.get(), some, sizeof some) == static_cast<ssize_t>(sizeof some)) {
        }
    }

private:
    fd fd_;
    fd to_write_;   // none: an eventfd is both
};

}
