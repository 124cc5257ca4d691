// guest_waiter.cpp - see guest_waiter.hpp.
#include <corun/guest_waiter.hpp>

namespace corun {

guest_waiter::guest_waiter(guest& g, wake_hook news) : guest_(g), news_(news), thread_([this] { work(); }) {}

guest_waiter::~guest_waiter() {
    end_sleep();
    guest_.lend_backend(nullptr, nullptr);
    {
        const std::lock_guard lock(mutex_);
        state_ = state::over;
    }
    changed_.notify_all();
    thread_.join();
}

void guest_waiter::sleep_until(time_point deadline) noexcept {
    guest_.lend_backend([](void* w) noexcept { static_cast<guest_waiter*>(w)->end_sleep(); }, this);
    {
        const std::lock_guard lock(mutex_);
        state_ = state::asked;
        is_ended_ = false;
        deadline_ = deadline;
    }
    changed_.notify_all();
}

void guest_waiter::end_sleep() noexcept {
    std::unique_lock lock(mutex_);
    is_ended_ = true;
    if (state_ == state::asked)
        state_ = state::idle;
    if (state_ == state::blocked)
        guest_.unblock();   // one that comes before block() counts for it
    changed_.wait(lock, [this] { return state_ != state::blocked; });
}

void guest_waiter::work() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return state_ == state::asked || state_ == state::over; });
        if (state_ == state::over)
            return;
        state_ = state::blocked;
        const time_point deadline = deadline_;
        lock.unlock();
        guest_.block(deadline);
        lock.lock();
        if (!is_ended_)
            news_.call(news_.context);   // with the lock held: end_sleep() returns after it
        state_ = state::idle;
        changed_.notify_all();
    }
}

}
