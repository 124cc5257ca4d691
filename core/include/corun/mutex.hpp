// mutex.hpp - mutual exclusion between tasks of one loop.
#pragma once

#include <corun/detail/memory_waiter.hpp>

#include <utility>

namespace corun {

/// A lock handed over in order of arrival: newcomers never overtake waiters (asyncio.Lock, strictly fair). Belongs to
/// the loop of its first waiter, for life; may be made before.
class mutex {
public:
    class guard;
    class awaiter;

    mutex() noexcept = default;
    ~mutex() { waiters_.abandon_all("mutex"); }

    /// Waits for the lock; gives a guard that unlocks when it is destroyed. A request ends the wait with `cancelled`; a
    /// lock that had been handed over already passes to the next waiter.
    [[nodiscard]] awaiter lock() noexcept;

    /// Takes the lock if it is free and nobody waits. True: unlock() is owed.
    [[nodiscard]] bool try_lock() {
        waiters_.check_loop();
        return !std::exchange(locked_, true);
    }

    /// Hands the lock to the first waiter, or frees it. Throws usage_error(errc::not_locked) if it is free. Any task may.
    void unlock() {
        if (!locked_)
            detail::throw_usage(errc::not_locked, "corun::mutex::unlock(): the mutex is not locked; unlock it once for each lock()");
        waiters_.check_loop();
        release();
    }

    bool is_locked() const noexcept { return locked_; }

private:
    void release() noexcept {
        if (waiters_.empty())
            locked_ = false;
        else
            waiters_.front().give();
    }

    detail::waiter_list waiters_;
    bool locked_ = false;
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
            m->release();
    }

private:
    friend awaiter;
    explicit guard(mutex& m) noexcept : mutex_(&m) {}

    mutex* mutex_ = nullptr;
};

/// The wait for a lock; may be moved until it is awaited.
class mutex::awaiter final : public detail::memory_waiter {
public:
    explicit awaiter(mutex& m) noexcept : mutex_(&m) {}

    bool await_ready() const {
        if (mutex_->locked_ || !detail::this_core().may_go_on())
            return false;
        mutex_->locked_ = true;
        return true;
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h) {
        detail::task_state& t = detail::suspending_task(h);
        mutex_->waiters_.check_loop();
        t.resume_point = h;
        if (!mutex_->locked_) {
            mutex_->locked_ = true;
            pass_through_queue(t);
        } else if (begin_wait(t)) {
            mutex_->waiters_.push_back(t);
        }
    }
    guard await_resume() {
        const bool granted = was_given();
        if (ended_by_request()) {
            if (granted)
                mutex_->release();
            throw cancelled{};
        }
        check_not_abandoned();
        return guard(*mutex_);
    }
    std::string_view what() const noexcept override { return "mutex"; }

private:
    mutex* mutex_;
};

inline mutex::awaiter mutex::lock() noexcept { return awaiter(*this); }

}
