// accept_ahead.hpp - connections that the kernel has handed over before anybody asked for them.
#pragma once

#include <corun/operation.hpp>

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace corun::uring {

struct record;

/// A listener's multishot accept and what came of it. A queue of descriptors; whoever ends it closes them.
class accept_ahead {
public:
    bool is_empty() const noexcept { return first_ == waiting_.size(); }
    std::size_t size() const noexcept { return waiting_.size() - first_; }

    /// False without memory.
    bool add(int fd) noexcept {
        try {
            waiting_.push_back(fd);
            return true;
        } catch (const std::bad_alloc&) {
            return false;
        }
    }
    int take() noexcept {
        const int fd = waiting_[first_++];
        if (is_empty()) {
            waiting_.clear();
            first_ = 0;
        }
        return fd;
    }

    record* accepted = nullptr;   ///< for the operation that waits: had before, so that no connection is lost for want of memory
    bool is_lent = false;         ///< the kernel has the request
    bool begins = false;          ///< it is to be written
    bool ends = false;            ///< the kernel is asked to end it
    bool asks_end = false;        ///< and that is to be written
    bool is_refused = false;      ///< not for this socket, or not by this kernel

private:
    std::vector<int> waiting_;
    std::size_t first_ = 0;
};

}
