// guest_waiter.hpp - a thread that sleeps for a guest whose host can't watch a handle.
#pragma once

#include <corun/guest.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace corun {

/// Waits for a guest's news on a thread of its own. Belongs to the guest's thread, and goes before the guest.
class guest_waiter {
public:
    /// `news` is called on the waiter's thread, once for each sleep that nobody ended: the host is to call dispatch() soon. Throws
    /// std::system_error if no thread can be made.
    guest_waiter(guest& g, wake_hook news);
    guest_waiter(const guest_waiter&) = delete;

    /// Ends the thread; `news` is not called any more.
    ~guest_waiter();

    /// The guest sleeps until the deadline: after prepare() has answered false.
    void sleep_until(time_point deadline) noexcept;

    /// Before anything else is done with the guest: returns when the thread has let go of it.
    void end_sleep() noexcept;

private:
    enum class state : std::uint8_t { idle, asked, blocked, over };

    void work() noexcept;

    guest& guest_;
    wake_hook news_;
    std::mutex mutex_;
    std::condition_variable changed_;
    state state_ = state::idle;
    bool is_ended_ = false;   // the sleep is: its news is nobody's any more
    time_point deadline_{};
    std::thread thread_;   // last: it uses the others
};

}
