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
    wake_fd() : fd_(sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (!fd_)
            throw std::system_error(errno, std::system_category(), "corun: eventfd");
    }

    int get() const noexcept { return fd_.get(); }

    /// Each call is an edge. Leaves errno alone, for handlers.
    void wake() noexcept {
        const int kept = errno;
        const std::uint64_t one = 1;
        while (sys::write(fd_.get(), &one, sizeof one) < 0) {
            if (errno == EAGAIN)   // the count is full: emptied, it takes the edge
                drain();
            else if (errno != EINTR)
                fatal("corun: the descriptor that wakes a loop was closed or replaced by somebody else\n");
        }
        errno = kept;
    }

    /// Takes the edges so far, where level counts.
    void drain() noexcept {
        std::uint64_t all;
        (void)!sys::read(fd_.get(), &all, sizeof all);
    }

private:
    fd fd_;
};

}
