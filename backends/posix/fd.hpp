// fd.hpp - owns a descriptor.
#pragma once

#include "sys.hpp"

#include <utility>

namespace corun::posix {

class fd {
public:
    fd() noexcept = default;
    explicit fd(int owned) noexcept : fd_(owned) {}
    fd(fd&& other) noexcept : fd_(other.release()) {}
    fd& operator=(fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~fd() {
        if (fd_ >= 0)
            sys::close(fd_);
    }

    explicit operator bool() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

}
