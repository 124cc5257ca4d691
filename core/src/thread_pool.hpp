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

/// Used on the loop's thread only. At most min(32, cores + 4) threads; jobs begin in the order of their start.
class thread_pool {
public:
    explicit thread_pool(inbox& ends);
    thread_pool(const thread_pool&) = delete;

    /// Threads that still run are left to themselves; they touch nothing of the loop but its inbox.
    ~thread_pool();

    void start(pool_job& job);
    bool withdraw(pool_job& job) noexcept;

    /// No thread stays idle from now on. When the last has ended, the loop is woken.
    void request_stop() noexcept;
    bool has_ended() noexcept;

    /// Waits for the last thread, at most for `bound`, blocking this one.
    void wait_for_end(duration bound) noexcept;

private:
    struct shared;

    shared* shared_;
    std::vector<std::thread> threads_;
};

}
