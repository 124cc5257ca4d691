// permits.hpp - permits handed over in order of arrival: what mutex, semaphore and condition have in common.
#pragma once

#include <corun/detail/memory_waiter.hpp>

#include <cstddef>
#include <string_view>

namespace corun::detail {

/// A free permit means that nobody waits: a permit that is given back goes to the first waiter, and a newcomer never overtakes.
class permits {
public:
    permits(std::size_t count, const char* owner) noexcept : free_(count), owner_(owner) {}
    permits(const permits&) = delete;
    ~permits() { waiters_.abandon_all(owner_); }

    std::size_t free() const noexcept { return free_; }
    const char* owner() const noexcept { return owner_; }

    /// Throws usage_error(errc::foreign_loop) on another loop than that of the first waiter.
    void check_loop() const { waiters_.check_loop(); }

    bool try_take() noexcept {
        if (free_ == 0)
            return false;
        --free_;
        return true;
    }
    void give_back() noexcept {
        if (waiters_.empty())
            ++free_;
        else
            waiters_.front().give();
    }
    void push_back(task_state& t) noexcept { waiters_.push_back(t); }

private:
    waiter_list waiters_;
    std::size_t free_;
    const char* owner_;
};

/// The wait for a permit; may be moved until it is awaited. await_resume() is the primitive's.
class permit_waiter : public memory_waiter {
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
        t.resume_point = h;
        if (permits_->try_take())
            pass_through_queue(t);
        else if (begin_wait(t))
            permits_->push_back(t);
    }
    std::string_view what() const noexcept override { return permits_->owner(); }

protected:
    explicit permit_waiter(permits& p) noexcept : permits_(&p) {}

    /// False if a request ended the wait: a permit that had been given passes on.
    bool has_taken() {
        const bool granted = was_given() && !was_abandoned();
        if (ended_by_request()) {
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
