// ring.hpp - the two queues shared with the kernel. Knows nothing of operations.
#pragma once

#include "buffer_pool.hpp"

#include <corun/clock.hpp>
#include <corun/io_uring.hpp>

#include <liburing.h>

namespace corun::uring {

class ring {
public:
    /// Throws backend_unavailable, or std::system_error.
    explicit ring(const io_uring_options&);
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() { ::io_uring_queue_exit(&ring_); }

    /// From now on the ring is the calling thread's. Not in the constructor: a backend may be made on another thread than its loop.
    void start() noexcept;

    /// An empty entry for a request; null as long as the kernel takes none.
    io_uring_sqe* entry() noexcept;

    /// Hands all entries to the kernel, and waits until there is an answer, no longer than `deadline`. Never early without one, unless
    /// a signal came.
    void enter(time_point deadline) noexcept;

    /// Hands all entries to the kernel and lets it finish what it can, without waiting.
    void flush() noexcept;

    /// Calls `take(const io_uring_cqe&)` with each answer in the queue; says how many there were.
    template <class Take>
    int take_answers(Take take) noexcept {
        int count = 0;
        io_uring_cqe* found = nullptr;
        // One at a time: what `take` does may need a place in the queue.
        while (::io_uring_cq_ready(&ring_) > 0 && ::io_uring_peek_cqe(&ring_, &found) == 0) {
            const io_uring_cqe answer = *found;
            ::io_uring_cqe_seen(&ring_, found);
            take(answer);
            ++count;
        }
        return count;
    }

    /// True if the kernel holds answers that only an enter() brings into the queue.
    bool has_more() const noexcept { return (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0; }

    /// Makes `eventfd` readable whenever an answer comes; false if the kernel refuses.
    bool notify(int eventfd) noexcept { return ::io_uring_register_eventfd(&ring_, eventfd) == 0; }

    /// From now on the kernel may choose from the pool's buffers; nothing changes if it refuses, or if there is no memory.
    void lend(buffer_pool& pool) noexcept { (void)pool.lend_to(ring_); }

    bool has_poll_first() const noexcept { return has_poll_first_; }
    bool has_quiet_success() const noexcept { return (ring_.features & IORING_FEAT_CQE_SKIP) != 0; }

private:
    void set_up(const io_uring_options&);
    void test_self() const;
    void check(int returned) noexcept;

    ::io_uring ring_{};
    bool has_poll_first_ = false;
};

}
