// standing_request.hpp - a multishot request: it stays with the kernel, and what it brings is kept until somebody asks.
#pragma once

#include "buffer_pool.hpp"

#include <corun/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace corun::uring {

struct record;

struct standing_request {
    bool is_lent = false;      ///< the kernel has it
    bool begins = false;       ///< it is to be written
    bool asks_end = false;     ///< the kernel is to be asked to end it
    bool is_refused = false;   ///< not for this socket, or not by this kernel
};

/// Closing the socket resets its connection. What it ends the peer would otherwise take for having been read.
void let_close_reset(int fd) noexcept;

/// A listener's: a queue of descriptors. Its end closes them.
class accept_ahead : public standing_request {
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

private:
    std::vector<int> waiting_;
    std::size_t first_ = 0;
};

/// A stream's: bytes in buffers of the pool, and how they ended.
struct receive_ahead : standing_request {
    buffer_queue bytes;
    int error = 0;            ///< comes after the bytes, once
    bool is_over = false;     ///< an end or an error came: from then on the socket itself is asked
    bool is_unread = false;   ///< bytes came after it was closed
};

}
