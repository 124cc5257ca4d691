// condition_wait.hpp - what a wait in a condition keeps of its mutex and its guard, either of which may go before the wait is over.
#pragma once

#include <corun/condition.hpp>
#include <corun/detail/intrusive_list.hpp>

namespace corun::detail {

class condition_wait : public link<of_mutex_tag>, public link<of_condition_tag> {
public:
    /// Gives the lock back, without the guard's knowing.
    condition_wait(condition& c, mutex& m) noexcept : condition_(&c), mutex_(&m) {
        c.waits_.push_back(*this);
        m.condition_waits_.push_back(*this);
        guard_.take(m.guarded_);
        had_guard_ = guard_.here != nullptr;
        m.permits_.give_back();
    }
    condition_wait(const condition_wait&) = delete;
    ~condition_wait() {
        leave_condition();
        leave_mutex();
    }

    /// Null once it has been destroyed.
    condition* its_condition() const noexcept { return condition_; }
    mutex* its_mutex() const noexcept { return mutex_; }

    void leave_condition() noexcept {
        if (std::exchange(condition_, nullptr))
            link<of_condition_tag>::unlink();
    }
    void leave_mutex() noexcept {
        if (std::exchange(mutex_, nullptr))
            link<of_mutex_tag>::unlink();
    }

    /// The lock has been had again, and is the guard's.
    void give_to_guard() noexcept {
        if (had_guard_ && !guard_.here)
            mutex_->permits_.give_back();   // it was told to unlock meanwhile
        else
            mutex_->guarded_.take(guard_);
    }

private:
    condition* condition_;
    mutex* mutex_;
    mutex::guard_place guard_;
    bool had_guard_;
};

}
