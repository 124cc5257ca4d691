// guest_waiter.hpp - a thread that sleeps for a guest whose host can't watch a handle.
#pragma once

#include <corun/guest.hpp>

#include <memory>

namespace corun {

/// Waits for a guest's news on a thread of its own. Belongs to the guest's thread, and goes before the guest.
class guest_waiter {
public:
    /// `news` is called on the waiter's thread, once for each sleep that nobody ended: the host is to call dispatch() soon. Throws
    /// std::system_error if no thread can be made.
    guest_waiter(guest& g, wake_hook news);
    guest_waiter(const guest_waiter&) = delete;

    /// Ends the thread; `news` is not called any more. In a forked child there is no such thread: what it had is left where it is.
    ~guest_waiter();

    /// The guest sleeps until the deadline: after prepare() has answered false.
    void sleep_until(time_point deadline) noexcept;

    /// Before anything else is done with the guest: returns when the thread has let go of it.
    void end_sleep() noexcept;

private:
    class sleeper;

    guest& guest_;
    std::unique_ptr<sleeper> sleeper_;
};

}
