// mutex.hpp - mutual exclusion between tasks of one loop.
#pragma once

#include <corun/detail/debug.hpp>
#include <corun/detail/permits.hpp>

#include <cstdint>
#include <utility>

namespace corun {

/// A lock handed over in order of arrival: newcomers never overtake waiters (asyncio.Lock, strictly fair). Belongs to
/// the loop of its first waiter, for life; may be made before.
class mutex {
public:
    class guard;
    class awaiter;

    mutex() noexcept : permits_(1, "mutex") {}

    /// Waits for the lock; gives a guard that unlocks when it is destroyed. A request ends the wait with `cancelled`; a
    /// lock that had been handed over already passes to the next waiter.
    [[nodiscard]] awaiter lock() noexcept;

    /// Takes the lock if it is free and nobody waits. True: unlock() is owed.
    [[nodiscard]] bool try_lock() {
        permits_.check_loop();
        const bool taken = permits_.try_take();
        if (taken && detail::may_be_debugging())
            holder_ = detail::running_task_id();
        return taken;
    }

    /// Hands the lock to the first waiter, or frees it. Throws usage_error(errc::not_locked) if it is free. Any task may.
    void unlock() {
        if (!is_locked())
            detail::throw_usage(errc::not_locked, "corun::mutex::unlock(): the mutex is not locked; unlock it once for each lock()");
        if (detail::may_be_debugging())
            detail::check_holder(holder_);
        permits_.check_loop();
        permits_.give_back();
    }

    bool is_locked() const noexcept { return permits_.free() == 0; }

private:
    friend class condition;

    detail::permits permits_;
    std::uint64_t holder_ = 0;   // the task that locked it, in debug mode
};

/// Holds a mutex; unlocks it without awaiting. Moves only.
class [[nodiscard]] mutex::guard {
public:
    guard() noexcept = default;
    guard(guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    guard& operator=(guard&& other) noexcept {
        if (this != &other) {
            unlock();
            mutex_ = std::exchange(other.mutex_, nullptr);
        }
        return *this;
    }
    ~guard() { unlock(); }

    explicit operator bool() const noexcept { return mutex_ != nullptr; }

    /// Unlocks now; does nothing if it holds nothing.
    void unlock() noexcept {
        if (mutex* const m = std::exchange(mutex_, nullptr))
            m->permits_.give_back();
    }

private:
    friend awaiter;
    explicit guard(mutex& m) noexcept : mutex_(&m) {}

    mutex* mutex_ = nullptr;
};

/// The wait for a lock; may be moved until it is awaited.
class mutex::awaiter final : public detail::permit_waiter {
public:
    explicit awaiter(mutex& m) noexcept : permit_waiter(m.permits_), mutex_(&m) {}

    guard await_resume() {
        if (!has_taken())
            throw cancelled{};
        if (detail::may_be_debugging())
            mutex_->holder_ = detail::running_task_id();
        return guard(*mutex_);
    }

private:
    mutex* mutex_;
};

inline mutex::awaiter mutex::lock() noexcept { return awaiter(*this); }

}
