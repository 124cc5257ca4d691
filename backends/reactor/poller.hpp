// poller.hpp - the readiness seam: what a reactor asks of epoll, kqueue and the like. No poller knows what a socket is for.
#pragma once

#include "../posix/wait_readable.hpp"
#include "registration.hpp"

#include <corun/backend.hpp>

#include <system_error>

namespace corun {

/// What a poller on a borrowed loop calls when it has news; see backend::on_news().
struct host_of_news {
    void tell() const noexcept {
        if (call)
            call(context);
    }

    void (*call)(void*) noexcept = nullptr;
    void* context = nullptr;
};

class poller {
public:
    poller() = default;
    poller(const poller&) = delete;
    poller& operator=(const poller&) = delete;
    virtual ~poller() = default;

    /// First sight of a descriptor. What is ready already is reported, too.
    virtual std::error_code attach(registration&) noexcept = 0;

    /// wanted() has grown. Each wanted direction is reported once it is ready; spurious reports are allowed, missed ones are a bug.
    virtual void arm(registration&) noexcept = 0;

    /// Always before the descriptor is closed: a duplicate of it would keep the kernel reporting.
    virtual void detach(registration&) noexcept = 0;

    /// Waits no longer than `deadline`, as backend::wait(), and only collects. True if wake() was called.
    virtual bool wait(time_point deadline, ready_list&) noexcept = 0;

    /// Any thread, any signal handler.
    virtual void wake() noexcept = 0;

    /// A descriptor that polls readable when wait() has news; no_native_handle where there is none.
    virtual native_handle wait_handle() const noexcept = 0;

    /// Returns when wait() would have news, or at the deadline; on any thread, while nothing else of this is called but wake(). What it
    /// finds by the way it keeps for wait(). A poller without a handle has its own.
    virtual void block(time_point deadline) noexcept { posix::wait_readable(static_cast<int>(wait_handle()), deadline); }

    /// As backend::on_news(): a poller that waits on a loop of the program's own.
    virtual bool on_news(void (*)(void*) noexcept, void*) noexcept { return false; }
};

}
