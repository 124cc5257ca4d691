// guest_waiter.cpp - see guest_waiter.hpp.
#include <corun/guest_waiter.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace corun {

/// The thread, and what it shares with the guest's. A forked child has a copy of it all but the thread: a lock may be held for ever, and
/// a condition waited on.
class guest_waiter::sleeper {
public:
    sleeper(guest& g, wake_hook news) : guest_(g), news_(news), thread_([this] { work(); }) {}
    sleeper(const sleeper&) = delete;

    ~sleeper() {
        {
            const std::lock_guard lock(mutex_);
            state_ = state::over;
        }
        changed_.notify_all();
        thread_.join();
    }

    void begin(time_point deadline) noexcept {
        {
            const std::lock_guard lock(mutex_);
            state_ = state::asked;
            is_ended_ = false;
            deadline_ = deadline;
        }
        changed_.notify_all();
    }

    void end() noexcept {
        std::unique_lock lock(mutex_);
        is_ended_ = true;
        if (state_ == state::asked)
            state_ = state::idle;
        if (state_ == state::blocked)
            guest_.unblock();   // one that comes before block() counts for it
        changed_.wait(lock, [this] { return state_ != state::blocked; });
    }

private:
    enum class state : std::uint8_t { idle, asked, blocked, over };

    void work() noexcept {
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
            const bool has_news = !is_ended_;
            state_ = state::idle;
            changed_.notify_all();
            if (!has_news)
                continue;
            // Not under the lock: the host's thread may hold one that the hook takes, and come here for end().
            lock.unlock();
            news_.call(news_.context);
            lock.lock();
        }
    }

    guest& guest_;
    wake_hook news_;
    std::mutex mutex_;
    std::condition_variable changed_;
    state state_ = state::idle;
    bool is_ended_ = false;   // the sleep is: its news is for no host any more
    time_point deadline_{};
    std::thread thread_;   // last: it uses the others
};

guest_waiter::guest_waiter(guest& g, wake_hook news) : guest_(g), sleeper_(std::make_unique<sleeper>(g, news)) {}

guest_waiter::~guest_waiter() {
    end_sleep();
    guest_.lend_backend(nullptr, nullptr);
    if (guest_.is_in_child())
        static_cast<void>(sleeper_.release());
}

void guest_waiter::sleep_until(time_point deadline) noexcept {
    if (guest_.is_in_child())
        return;
    guest_.lend_backend([](void* w) noexcept { static_cast<guest_waiter*>(w)->end_sleep(); }, this);
    sleeper_->begin(deadline);
}

void guest_waiter::end_sleep() noexcept {
    if (!guest_.is_in_child())
        sleeper_->end();
}

}
