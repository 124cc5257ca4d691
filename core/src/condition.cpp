// condition.cpp - asyncio's Condition, with the lock handed over.
#include <corun/condition.hpp>

#include <cstdint>

namespace corun {

/// Waits to be notified; answers false if a request ended the wait.
class condition::awaiter final : public detail::memory_waiter {
public:
    explicit awaiter(condition& c) noexcept : condition_(&c) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, detail::await_place where = detail::await_place::current()) {
        detail::task_state& t = detail::suspending_task(h, where);
        t.resume_point = h;
        if (begin_wait(t))
            condition_->waiters_.push_back(t);
    }
    bool await_resume() {
        if (ended_by_request())
            return false;
        check_not_abandoned();
        return true;
    }
    std::string_view what() const noexcept override { return "condition"; }

private:
    condition* condition_;
};

task<> condition::wait() {
    check_locked();
    waiters_.check_loop();
    mutex_->permits_.give_back();
    bool undisturbed = co_await awaiter(*this);
    // The lock is the caller's again before anything leaves; each request meanwhile starts the wait for it anew.
    for (;;) {
        const bool locked = co_await detail::quiet_permit_awaiter(mutex_->permits_);
        if (locked)
            break;
        undisturbed = false;
    }
    if (!undisturbed) {
        give(1);   // it may have been notified: somebody else has to hear of it
        throw cancelled{};
    }
}

void condition::notify(std::size_t count) {
    check_locked();
    waiters_.check_loop();
    give(count);
}

void condition::notify_all() { notify(SIZE_MAX); }

void condition::give(std::size_t count) noexcept {
    for (; count > 0 && !waiters_.empty(); --count)
        waiters_.front().give();
}

void condition::check_locked() const {
    if (!mutex_->is_locked())
        detail::throw_usage(errc::not_locked, "corun::condition: lock its mutex before wait() and notify()");
}

}
