// epoll_poller.hpp - edge-triggered: each descriptor is registered once, and costs no further call of epoll.
#pragma once

#include "../common/clock.hpp"
#include "../posix/fatal.hpp"
#include "../posix/socket.hpp"
#include "../posix/wake_fd.hpp"
#include "poller.hpp"
#include "sys_epoll.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <span>

namespace corun {

class epoll_poller final : public poller {
public:
    epoll_poller() : epoll_(sys::epoll_create1(EPOLL_CLOEXEC)) {
        if (!epoll_)
            throw std::system_error(posix::last_error(), "corun: epoll_create1");
        // Edge-triggered, a wake needs no read: each write of it is an edge.
        if (add(wake_.get(), EPOLLIN | EPOLLET, nullptr) < 0)
            throw std::system_error(posix::last_error(), "corun: epoll_ctl");
    }

    std::error_code attach(registration& r) noexcept override {
        // The hang-up and the urgent bit guard the short-read rule; they cost nothing.
        if (add(r.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, &r) < 0)
            return posix::last_error();
        return {};
    }

    void arm(registration&) noexcept override {}

    void detach(registration& r) noexcept override { sys::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, r.fd, nullptr); }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        std::array<epoll_event, 256> events;
        const int count = wait_for(deadline, events);
        if (count < 0 && (errno == EBADF || errno == EINVAL))
            posix::fatal("corun: the descriptor on which a loop waits was closed or replaced by somebody else\n");
        bool woken = false;
        for (const epoll_event& e : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
            if (e.data.ptr)
                ready.add(*static_cast<registration*>(e.data.ptr), news_of(e.events));
            else
                woken = true;
        }
        return woken;
    }

    void wake() noexcept override { wake_.wake(); }

    native_handle wait_handle() const noexcept override { return epoll_.get(); }

private:
    int add(int fd, std::uint32_t what, registration* r) noexcept {
        epoll_event e{};
        e.events = what;
        e.data.ptr = r;
        return sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e);
    }

    static std::uint8_t news_of(std::uint32_t events) noexcept {
        constexpr std::uint32_t ends = EPOLLERR | EPOLLHUP;
        std::uint8_t news = 0;
        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI | ends))
            news |= registration::readable;
        if (events & (EPOLLOUT | ends))
            news |= registration::writable;
        if (events & (EPOLLRDHUP | EPOLLPRI | ends))
            news |= registration::unusual;
        return news;
    }

    int wait_for(time_point deadline, std::span<epoll_event> events) noexcept {
        const int size = static_cast<int>(events.size());
        if (deadline == no_deadline)
            return sys::epoll_wait(epoll_.get(), events.data(), size, -1);
        const duration left = common::time_until(deadline);
        if (left == duration::zero())
            return sys::epoll_wait(epoll_.get(), events.data(), size, 0);
        if (has_pwait2_) {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            const __kernel_timespec timeout{seconds.count(), (left - seconds).count()};
            const int count = sys::epoll_pwait2(epoll_.get(), events.data(), size, &timeout);
            // An old kernel has none; a container's filter may forbid what it does not know.
            if (count >= 0 || (errno != ENOSYS && errno != EPERM))
                return count;
            has_pwait2_ = false;
        }
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        return sys::epoll_wait(epoll_.get(), events.data(), size,
                               static_cast<int>(std::min<decltype(milliseconds)>(milliseconds, INT_MAX)));
    }

    posix::fd epoll_;
    posix::wake_fd wake_;
    bool has_pwait2_ = true;
};

}
