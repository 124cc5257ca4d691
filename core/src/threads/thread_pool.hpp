// thread_pool.hpp - threads for calls that block: made when needed, gone with the loop.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/pool_job.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace corun::detail {

class inbox;

/// Used on the loop's thread only. Jobs begin in the order of their start.
class thread_pool {
public:
    /// `most` threads, or as many as asyncio's executor has: 4 more than processors, at most 32.
    thread_pool(inbox& ends, std::size_t most);
    thread_pool(const thread_pool&) = delete;

    /// Threads that still run are left to themselves; they touch nothing of the loop but its inbox.
    ~thread_pool();

    /// True the first time that a job has to wait because `most` threads are taken.
    bool start(pool_job& job);
    bool withdraw(pool_job& job) noexcept;

    std::size_t most() const noexcept { return most_; }

    /// No thread stays idle from now on. When the last has ended, the loop is woken.
    void request_stop() noexcept;
    bool has_ended() noexcept;

    /// Waits for the last thread, at most for `bound`, blocking this one.
    void wait_for_end(duration bound) noexcept;

private:
    struct shared;

    shared* shared_;
    std::vector<std::thread> threads_;
    const std::size_t most_;
    bool was_full_ = false;
};

}
