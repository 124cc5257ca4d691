// barrier.hpp - a place where a number of tasks wait until all are there.
#pragma once

#include <corun/condition.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>

namespace corun {

/// A barrier was broken by abort(), or reset while tasks waited (asyncio.BrokenBarrierError).
class broken_barrier : public std::exception {
public:
    const char* what() const noexcept override { return "corun: the barrier was broken or reset while a task waited"; }
};

/// Lets `parties` tasks go on once all of them wait, again and again (asyncio.Barrier). Belongs to the loop of its first waiter, for life.
class barrier {
public:
    /// `parties`: at least 1; usage_error(errc::invalid_argument) otherwise.
    explicit barrier(std::size_t parties) : parties_(parties) {
        if (parties == 0)
            detail::throw_usage(errc::invalid_argument, "corun::barrier: it takes at least one party to pass");
    }
    barrier(const barrier&) = delete;
    ~barrier() {
        while (!present_.empty())
            present_.pop_front();
    }

    /// Waits for the others and gives this task's number, from 0 in order of arrival. Throws broken_barrier. A request ends the wait with
    /// `cancelled`; this task then counts as not having come.
    task<std::size_t> wait() {
        const auto lock = co_await mutex_.lock();
        co_await changed_.wait_until([this] { return stage_ == stage::filling || stage_ == stage::broken; });
        if (stage_ == stage::broken)
            throw broken_barrier{};
        const presence here(*this);
        const std::size_t number = count_ - 1;
        if (count_ == parties_) {
            stage_ = stage::draining;
            changed_.notify_all();
        } else {
            co_await changed_.wait_until([this] { return stage_ != stage::filling; });
            if (stage_ != stage::draining)
                throw broken_barrier{};
        }
        co_return number;
    }

    /// Back to the beginning; those who wait get broken_barrier.
    task<> reset() {
        const auto lock = co_await mutex_.lock();
        stage_ = count_ > 0 ? stage::resetting : stage::filling;
        changed_.notify_all();
    }

    /// Breaks it: those who wait, and all who come before the next reset(), get broken_barrier.
    task<> abort() {
        const auto lock = co_await mutex_.lock();
        stage_ = stage::broken;
        changed_.notify_all();
    }

    /// How many it takes to open (asyncio.Barrier.parties).
    std::size_t parties() const noexcept { return parties_; }

    /// How many wait now.
    std::size_t waiting() const noexcept { return stage_ == stage::filling ? count_ : 0; }

    /// True from an abort(), or a wait() that was given up, until the next reset().
    bool is_broken() const noexcept { return stage_ == stage::broken; }

private:
    enum class stage : std::uint8_t { filling, draining, resetting, broken };

    /// A task that has come; the last one that leaves opens the barrier anew.
    class presence : public detail::link<presence> {
    public:
        explicit presence(barrier& b) noexcept : barrier_(b) {
            ++b.count_;
            b.present_.push_back(*this);
        }
        presence(const presence&) = delete;
        ~presence() {
            if (!this->is_linked())
                return;   // the barrier has gone
            this->unlink();
            if (--barrier_.count_ > 0)
                return;
            if (barrier_.stage_ != stage::broken)
                barrier_.stage_ = stage::filling;
            // A frame that is destroyed while it waits does not hold the lock, and nobody goes on then.
            if (barrier_.mutex_.is_locked())
                barrier_.changed_.notify_all();
        }

    private:
        barrier& barrier_;
    };

    mutex mutex_;
    condition changed_ = condition(mutex_);
    std::size_t parties_;
    std::size_t count_ = 0;
    detail::intrusive_list<presence, presence> present_;
    stage stage_ = stage::filling;
};

}
