// mutex.hpp - mutual exclusion between tasks of one loop.
#pragma once

#include <corun/detail/debug.hpp>
#include <corun/detail/intrusive_list.hpp>
#include <corun/detail/permits.hpp>

#include <cstdint>
#include <utility>

namespace corun {

namespace detail {

/// A wait in a condition, which lasts until the mutex is locked again.
class condition_wait;
struct of_mutex_tag;

}

/// A lock handed over in order of arrival: newcomers never overtake waiters (asyncio.Lock, strictly fair). Belongs to
/// the loop of its first waiter, for life; may be made before.
class mutex {
public:
    class guard;
    class awaiter;

    mutex() noexcept : permits_(1, "mutex") { guarded_.locked = this; }
    mutex(const mutex&) = delete;
    ~mutex();

    /// Waits for the lock; gives a guard that unlocks when it is destroyed. A request ends the wait with `cancelled`; a
    /// lock that had been handed over already passes to the next waiter.
    [[nodiscard("nothing happens until it is awaited")]] awaiter lock() noexcept;

    /// Takes the lock if it is free and no task waits. True: unlock() is owed.
    [[nodiscard("true: unlock() is owed")]] bool try_lock() {
        permits_.check_loop();
        const bool taken = permits_.try_take();
        if (taken && detail::may_be_debugging())
            holder_ = detail::running_task_id();
        return taken;
    }

    /// Hands the lock to the first waiter, or frees it. Throws usage_error(errc::not_locked) if it is free. Any task may. A guard that
    /// holds the lock holds nothing any more.
    void unlock();

    bool is_locked() const noexcept { return permits_.free() == 0; }

private:
    friend class condition;
    friend detail::condition_wait;

    /// What knows of a guard: the mutex that it holds or, while its owner waits in a condition, that wait.
    struct guard_place {
        guard_place() noexcept = default;
        guard_place(const guard_place&) = delete;
        ~guard_place() { let_go(); }

        /// The guard, if there is one, holds nothing any more.
        inline void let_go() noexcept;

        /// The guard that `from` knows of, if any, is known here from now on.
        inline void take(guard_place& from) noexcept;

        mutex* locked = nullptr;   // null for a wait, during which the guard holds nothing
        guard* here = nullptr;
    };

    detail::permits permits_;
    guard_place guarded_;
    detail::intrusive_list<detail::condition_wait, detail::of_mutex_tag> condition_waits_;
    std::uint64_t holder_ = 0;   // the task that locked it, in debug mode
};

/// Holds a mutex; unlocks it without awaiting. Moves only. Holds nothing once the mutex has been unlocked by hand, or destroyed.
class [[nodiscard("dropped at once, it unlocks at once: keep it in a variable")]] mutex::guard {
public:
    guard() noexcept = default;
    guard(guard&& other) noexcept { take(other); }
    guard& operator=(guard&& other) noexcept {
        if (this != &other) {
            unlock();
            take(other);
        }
        return *this;
    }
    ~guard() { unlock(); }

    /// True while it holds a mutex; false during a wait in a condition.
    explicit operator bool() const noexcept { return place_ && place_->locked; }

    /// Unlocks now; does nothing if it holds nothing.
    void unlock() noexcept {
        if (!place_)
            return;
        guard_place& p = *std::exchange(place_, nullptr);
        p.here = nullptr;
        if (p.locked)
            p.locked->permits_.give_back();
    }

private:
    friend mutex;
    friend awaiter;
    explicit guard(mutex& m) noexcept : place_(&m.guarded_) {
        place_->let_go();   // one whose lock was given away by hand
        place_->here = this;
    }

    void take(guard& other) noexcept {
        place_ = std::exchange(other.place_, nullptr);
        if (place_)
            place_->here = this;
    }

    guard_place* place_ = nullptr;
};

inline void mutex::guard_place::let_go() noexcept {
    if (here)
        std::exchange(here, nullptr)->place_ = nullptr;
}

inline void mutex::guard_place::take(guard_place& from) noexcept {
    let_go();
    here = std::exchange(from.here, nullptr);
    if (here)
        here->place_ = this;
}

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
