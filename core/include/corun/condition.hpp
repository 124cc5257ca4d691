// condition.hpp - waiting for a change of what a mutex protects.
#pragma once

#include <corun/mutex.hpp>
#include <corun/task.hpp>

#include <cstddef>

namespace corun {

namespace detail {

struct of_condition_tag;

}

/// A list of tasks that wait, with the mutex unlocked, until somebody notifies them (asyncio.Condition). Belongs to the loop
/// of its first waiter, for life.
class condition {
public:
    /// `m` must outlive the condition.
    explicit condition(mutex& m) noexcept : mutex_(&m) {}
    condition(const condition&) = delete;
    ~condition();

    /// Unlocks the mutex, waits for a notification, and locks it again, also when the wait ends with `cancelled`: a
    /// notification that had been given passes on then. Throws operation_canceled, with the lock, if the condition is destroyed
    /// meanwhile, and without it if the mutex is. The caller holds the lock, and its guard, throughout; throws
    /// usage_error(errc::not_locked) if no task does.
    task<> wait();

    /// Waits until `holds()` is true; asks once before and after each notification (Condition.wait_for).
    template <class Predicate>
    task<> wait_until(Predicate holds) {
        while (!holds())
            co_await wait();
    }

    /// Makes up to `count` waiters ready, in order of arrival; each then waits for the lock. The caller holds the lock:
    /// throws usage_error(errc::not_locked) if no task does.
    void notify(std::size_t count = 1);
    /// The same for every waiter.
    void notify_all();

    /// The mutex it goes with.
    corun::mutex& lock() const noexcept { return *mutex_; }

private:
    class awaiter;
    friend detail::condition_wait;

    void give(std::size_t count) noexcept;
    void check_locked() const;

    corun::mutex* mutex_;
    detail::waiter_list waiters_;
    detail::intrusive_list<detail::condition_wait, detail::of_condition_tag> waits_;   // also those that have been notified
};

}
