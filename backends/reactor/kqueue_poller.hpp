// kqueue_poller.hpp - EV_CLEAR: each descriptor is registered once, and costs no further call.
#pragma once

#include "../common/clock.hpp"
#include "../posix/fatal.hpp"
#include "../posix/socket.hpp"
#include "poller.hpp"
#include "sys_kqueue.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

namespace corun {
namespace kq {

using kernel_event = struct ::kevent;

inline constexpr std::uintptr_t wake_ident = 0;   // user events have names of their own: no descriptor is meant

// What guards the short-read rule from urgent data. FreeBSD and NetBSD have no such filter.
#if defined(EVFILT_EXCEPT) && defined(NOTE_OOB)
inline constexpr bool has_urgent = true;
inline constexpr int urgent_filter = EVFILT_EXCEPT;
inline constexpr unsigned urgent_note = NOTE_OOB;
#else
inline constexpr bool has_urgent = false;
inline constexpr int urgent_filter = 0;
inline constexpr unsigned urgent_note = 0;
#endif

// Field by field: systems differ in their types, and some have more of them.
inline kernel_event change_of(std::uintptr_t ident, int filter, unsigned what, unsigned note, void* data) noexcept {
    kernel_event e{};
    e.ident = ident;
    e.filter = static_cast<decltype(e.filter)>(filter);
    e.flags = static_cast<decltype(e.flags)>(what);
    e.fflags = static_cast<decltype(e.fflags)>(note);
    e.udata = data;
    return e;
}

class kqueue_poller final : public poller {
public:
    kqueue_poller() : kqueue_(sys::kqueue()) {
        if (!kqueue_)
            throw std::system_error(posix::last_error(), "corun: kqueue");
        if (tell(change_of(wake_ident, EVFILT_USER, EV_ADD | EV_CLEAR, 0, nullptr)) < 0)
            throw std::system_error(posix::last_error(), "corun: kevent");
    }

    std::error_code attach(registration& r) noexcept override {
        changes receipts;
        if (const std::error_code failed = change_filters(r, EV_ADD | EV_CLEAR, receipts))
            return failed;
        if (const int refused = std::max(error_of(receipts[0]), error_of(receipts[1]))) {
            detach(r);
            return {refused, std::system_category()};
        }
        if (!has_urgent || error_of(receipts[2]))
            r.ready = static_cast<std::uint8_t>(r.ready | registration::unusual);   // nothing would tell: no short-read rule for this one
        return {};
    }

    void arm(registration&) noexcept override {}

    void detach(registration& r) noexcept override {
        changes receipts;
        change_filters(r, EV_DELETE, receipts);
    }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        std::array<kernel_event, 256> events;
        const int count = wait_for(deadline, events);
        if (count < 0 && errno == EBADF)
            posix::fatal("corun: the descriptor on which a loop waits was closed or replaced by somebody else\n");
        bool woken = false;
        for (const kernel_event& e : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
            if (e.filter == EVFILT_USER)
                woken = true;
            else
                ready.add(*reinterpret_cast<registration*>(e.udata), news_of(e));
        }
        return woken;
    }

    // A system call that never waits: right in a signal handler, and from any thread. Leaves errno alone, for handlers.
    void wake() noexcept override {
        const int kept = errno;
        int told;
        do
            told = tell(change_of(wake_ident, EVFILT_USER, 0, NOTE_TRIGGER, nullptr));
        while (told < 0 && errno == EINTR);
        if (told < 0)
            posix::fatal("corun: the descriptor that wakes a loop was closed or replaced by somebody else\n");
        errno = kept;
    }

    native_handle wait_handle() const noexcept override { return kqueue_.get(); }

private:
    using changes = std::array<kernel_event, has_urgent ? 3 : 2>;

    int tell(const kernel_event& change) noexcept { return sys::kevent(kqueue_.get(), &change, 1, nullptr, 0, nullptr); }

    /// The same done to each filter of a descriptor. With receipts one that is refused does not keep the others from being tried, and
    /// as they fill the list, no news is fetched.
    std::error_code change_filters(registration& r, unsigned what, changes& receipts) noexcept {
        const auto fd = static_cast<std::uintptr_t>(r.fd);
        changes asked{change_of(fd, EVFILT_READ, what | EV_RECEIPT, 0, &r), change_of(fd, EVFILT_WRITE, what | EV_RECEIPT, 0, &r)};
        if constexpr (has_urgent)
            asked[2] = change_of(fd, urgent_filter, what | EV_RECEIPT, urgent_note, &r);
        constexpr int size = static_cast<int>(asked.size());
        constexpr timespec no_time{};
        if (sys::kevent(kqueue_.get(), asked.data(), size, receipts.data(), size, &no_time) < 0)
            return posix::last_error();
        return {};
    }

    static int error_of(const kernel_event& receipt) noexcept { return receipt.flags & EV_ERROR ? static_cast<int>(receipt.data) : 0; }

    static std::uint8_t news_of(const kernel_event& e) noexcept {
        std::uint8_t news = e.filter == EVFILT_WRITE ? registration::writable : registration::readable;
        if ((e.flags & (EV_EOF | EV_ERROR)) || (has_urgent && e.filter == urgent_filter))
            news |= registration::unusual;
        return news;
    }

    int wait_for(time_point deadline, std::span<kernel_event> events) noexcept {
        timespec timeout{};
        if (deadline != no_deadline) {
            // Some systems refuse a very long wait; one that ends early is asked for again.
            const duration left = std::min<duration>(common::time_until(deadline), std::chrono::hours(24));
            const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
            timeout.tv_sec = static_cast<decltype(timeout.tv_sec)>(seconds.count());
            timeout.tv_nsec = static_cast<decltype(timeout.tv_nsec)>(std::chrono::nanoseconds(left - seconds).count());
        }
        return sys::kevent(kqueue_.get(), nullptr, 0, events.data(), static_cast<int>(events.size()),
                           deadline == no_deadline ? nullptr : &timeout);
    }

    posix::fd kqueue_;
};

}

using kq::kqueue_poller;

}
