// condition.cpp - asyncio's Condition, with the lock handed over.
#include "sync/condition_wait.hpp"

#include <corun/condition.hpp>
#include <corun/task_handle.hpp>

#include <cstdint>

namespace corun {

/// Waits to be notified; answers false if a request ended the wait.
class condition::awaiter final : public detail::primitive_waiter {
public:
    explicit awaiter(condition& c) noexcept : condition_(&c) {}

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, detail::await_place where = detail::await_place::current()) {
        detail::task_state& t = detail::suspending_task(h, where);
        if (begin(t))
            condition_->waiters_.push_back(t);
    }
    bool await_resume() noexcept { return !take_request(); }
    std::string_view what() const noexcept override { return "condition"; }

private:
    condition* condition_;
};

condition::~condition() {
    if (waiters_.empty() && !waits_.empty())
        detail::report_destroyed_with_waiters("condition");
    waiters_.abandon_all("condition");
    waits_.for_each([](detail::condition_wait& w) { w.leave_condition(); });
}

task<> condition::wait() {
    check_locked();
    waiters_.check_loop();
    detail::condition_wait here(*this, *mutex_);
    bool undisturbed = co_await awaiter(*this);
    // The lock is the caller's again before anything leaves; each request meanwhile starts the wait for it anew.
    while (mutex* const m = here.its_mutex()) {
        const bool locked = co_await detail::quiet_permit_awaiter(m->permits_);
        if (locked) {
            here.give_to_guard();
            break;
        }
        undisturbed = false;
    }
    condition* const left = here.its_condition();
    if (!undisturbed) {
        if (left)
            left->give(1);   // it may have been notified: somebody else has to hear of it
        throw cancelled{};
    }
    if (!left)
        detail::throw_abandoned();
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
