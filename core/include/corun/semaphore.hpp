// semaphore.hpp - a number of permits for tasks of one loop.
#pragma once

#include <corun/detail/permits.hpp>

#include <cstddef>
#include <utility>

namespace corun {

/// Permits handed over in order of arrival: newcomers never overtake waiters (asyncio.Semaphore, strictly fair). Belongs to
/// the loop of its first waiter, for life; may be made before.
class semaphore {
public:
    class permit;
    class awaiter;

    explicit semaphore(std::size_t permits) noexcept : permits_(permits, "semaphore") {}
    semaphore(const semaphore&) = delete;

    /// Waits for a permit; gives a guard that releases it when it is destroyed. A request ends the wait with `cancelled`; a
    /// permit that had been handed over already passes to the next waiter.
    [[nodiscard("nothing happens until it is awaited")]] awaiter acquire() noexcept;

    /// Takes a permit if one is free. True: release() is owed.
    [[nodiscard("true: release() is owed")]] bool try_acquire() {
        permits_.check_loop();
        return permits_.try_take();
    }

    /// Hands a permit to the first waiter, or frees one; also above the initial number, but for a bounded_semaphore, which throws
    /// usage_error(errc::not_locked) when every permit is free. Any task may.
    void release() {
        permits_.check_loop();
        if (permits_.is_full())
            detail::throw_usage(errc::not_locked,
                                "corun::bounded_semaphore::release(): every permit is free; release once for each acquire()");
        permits_.give_back();
    }

    /// How many permits are free.
    std::size_t available() const noexcept { return permits_.free(); }

protected:
    semaphore(std::size_t permits, std::size_t bound) noexcept : permits_(permits, "semaphore", bound) {}

private:
    detail::permits permits_;
};

/// A semaphore that can't be released more often than acquired (asyncio.BoundedSemaphore). A guard whose permit was released by hand
/// reports that to the exception hook, as it can't throw.
class bounded_semaphore : public semaphore {
public:
    explicit bounded_semaphore(std::size_t permits) noexcept : semaphore(permits, permits) {}
};

/// Holds a permit; releases it without awaiting. Moves only.
class [[nodiscard("dropped at once, it is released at once: keep it in a variable")]] semaphore::permit {
public:
    permit() noexcept = default;
    permit(permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
        if (this != &other) {
            release();
            semaphore_ = std::exchange(other.semaphore_, nullptr);
        }
        return *this;
    }
    ~permit() { release(); }

    explicit operator bool() const noexcept { return semaphore_ != nullptr; }

    /// Releases now; does nothing if it holds nothing.
    void release() noexcept {
        if (semaphore* const s = std::exchange(semaphore_, nullptr))
            s->permits_.give_back();
    }

    /// Keeps the permit taken: semaphore::release() is owed.
    void keep() noexcept { semaphore_ = nullptr; }

private:
    friend awaiter;
    explicit permit(semaphore& s) noexcept : semaphore_(&s) {}

    semaphore* semaphore_ = nullptr;
};

/// The wait for a permit; may be moved until it is awaited.
class semaphore::awaiter final : public detail::permit_waiter {
public:
    explicit awaiter(semaphore& s) noexcept : permit_waiter(s.permits_), semaphore_(&s) {}

    permit await_resume() {
        if (!has_taken())
            throw cancelled{};
        return permit(*semaphore_);
    }

private:
    semaphore* semaphore_;
};

inline semaphore::awaiter semaphore::acquire() noexcept { return awaiter(*this); }

}
