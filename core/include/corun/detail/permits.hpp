// permits.hpp - permits handed over in order of arrival: what mutex, semaphore and condition have in common.
#pragma once

#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/report.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace corun::detail {

/// A free permit means that nobody waits: a permit that is given back goes to the first waiter, and a newcomer never overtakes.
class permits {
public:
    /// `bound`: more are never free.
    permits(std::size_t count, const char* name, std::size_t bound = SIZE_MAX) noexcept : free_(count), bound_(bound), name_(name) {}
    permits(const permits&) = delete;
    ~permits() { waiters_.abandon_all(name_); }

    std::size_t free() const noexcept { return free_; }
    const char* name() const noexcept { return name_; }

    /// Throws usage_error(errc::foreign_loop) on another loop than that of the first waiter.
    void check_loop() const { waiters_.check_loop(); }

    bool try_take() noexcept {
        if (free_ == 0)
            return false;
        --free_;
        return true;
    }
    /// True while every permit is free: one that is given back then was never taken.
    bool is_full() const noexcept { return free_ == bound_; }

    void give_back() noexcept {
        if (!waiters_.empty())
            waiters_.wake_front();
        else if (!is_full()) [[likely]]
            ++free_;
        else
            report_released_too_often();
    }
    void push_back(task_state& t) noexcept { waiters_.push_back(t); }
    void note_woken(primitive_waiter& w) noexcept { waiters_.note_woken(w); }

private:
    waiter_list waiters_;
    std::size_t free_;
    std::size_t bound_;
    const char* name_;
};

/// The wait for a permit; may be moved until it is awaited. await_resume() is the primitive's.
class permit_waiter : public primitive_waiter {
public:
    bool await_ready() const {
        permits_->check_loop();
        if (permits_->free() == 0 || !this_core().may_go_on())
            return false;
        return permits_->try_take();
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        if (permits_->try_take()) {
            pass_through_queue(t);
            permits_->note_woken(*this);
        } else if (begin(t)) {
            permits_->push_back(t);
        }
    }
    std::string_view what() const noexcept override { return permits_->name(); }

protected:
    explicit permit_waiter(permits& p) noexcept : permits_(&p) {}
    permit_waiter(permit_waiter&&) noexcept = default;
    ~permit_waiter() = default;

    /// False if a request ended the wait: a permit that had been given passes on.
    bool has_taken() {
        const bool granted = was_given();
        if (take_request()) {
            if (granted)
                permits_->give_back();
            return false;
        }
        check_not_abandoned();
        return true;
    }

private:
    permits* permits_;
};

/// Waits for a permit and answers false if a request ended the wait; never throws a request.
class quiet_permit_awaiter final : public permit_waiter {
public:
    explicit quiet_permit_awaiter(permits& p) noexcept : permit_waiter(p) {}
    bool await_resume() { return has_taken(); }
};

}
