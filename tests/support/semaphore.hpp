// semaphore.hpp - for threads of a test: libstdc++ 12 loses wake-ups of std::counting_semaphore and std::latch where the system has no
// futex (its __waiter_pool looks at the value before it has the lock).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace testing {

class semaphore {
public:
    explicit semaphore(std::ptrdiff_t count = 0) noexcept : count_(count) {}

    void release(std::ptrdiff_t more = 1) {
        // Notified with the lock held: whoever is let through may destroy this at once.
        const std::lock_guard lock(mutex_);
        count_ += more;
        changed_.notify_all();
    }

    void acquire() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return count_ > 0; });
        --count_;
    }

    bool try_acquire() {
        const std::lock_guard lock(mutex_);
        return count_ > 0 && count_-- > 0;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::ptrdiff_t count_;
};

}
