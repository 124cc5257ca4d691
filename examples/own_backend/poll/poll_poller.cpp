// poll_poller.cpp - poll(2) under corun's reactor. Level-triggered: what somebody waits for is in the set until it is reported.
// docs/writing-a-backend.md goes through it.
#include <corun/poll.hpp>

#include <common/clock.hpp>
#include <posix/fatal.hpp>
#include <posix/wake_fd.hpp>
#include <reactor/reactor.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include <poll.h>

namespace corun {
namespace {

class poll_poller final : public poller {
public:
    poll_poller() : set_{pollfd{wake_.get(), POLLIN, 0}}, owners_{nullptr} {}

    /// poll() need not be told. But arm() may not fail, so its memory is taken here.
    std::error_code attach(registration& r) noexcept override {
        if (r.index < places_.size())
            return {};
        try {
            const std::size_t size = std::max<std::size_t>(r.index + 1, 2 * places_.size());
            set_.reserve(size + 1);
            owners_.reserve(size + 1);
            places_.resize(size, nowhere);
            return {};
        } catch (const std::bad_alloc&) {
            return {ENOMEM, std::system_category()};
        }
    }

    void arm(registration& r) noexcept override {
        std::size_t& place = places_[r.index];
        if (place == nowhere) {
            place = set_.size();
            set_.push_back({r.fd, 0, 0});
            owners_.push_back(&r);
        }
        set_[place].events = events_of(r.wanted());
    }

    /// The number may be another descriptor's soon: it must not stay in the set.
    void detach(registration& r) noexcept override {
        if (places_[r.index] != nowhere)
            drop(places_[r.index]);
    }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        if (!poll_until(deadline))
            return false;
        const bool woken = set_[0].revents != 0;
        if (set_[0].revents & POLLNVAL)
            posix::fatal("corun: the descriptor that wakes a loop was closed by somebody else\n");
        if (woken)
            wake_.drain();
        for (std::size_t place = 1; place < set_.size();)
            if (set_[place].revents == 0 || !take_news(place, ready))
                ++place;   // else the last one stands here now
        return woken;
    }

    void wake() noexcept override { wake_.wake(); }

    /// There is no descriptor that stands for the whole set ...
    native_handle wait_handle() const noexcept override { return no_native_handle; }

    /// ... but as the set is level-triggered, looking takes nothing away: wait() finds the same.
    void block(time_point deadline) noexcept override { poll_until(deadline); }

private:
    static constexpr std::size_t nowhere = 0;   // the wake descriptor's place

    static short events_of(std::uint8_t directions) noexcept {
        return static_cast<short>((directions & registration::readable ? POLLIN : 0) | (directions & registration::writable ? POLLOUT : 0));
    }

    /// True if there is news in the set.
    bool poll_until(time_point deadline) noexcept {
        int milliseconds = -1;
        if (deadline != no_deadline) {
            // Rounded up: a timer is never early.
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(common::time_until(deadline)).count();
            milliseconds = static_cast<int>(std::min<decltype(left)>(left, INT_MAX));
        }
        const int count = sys::poll(set_.data(), static_cast<nfds_t>(set_.size()), milliseconds);
        if (count < 0 && errno == EINVAL)
            posix::fatal("corun: poll: the process waits for more descriptors than it may have open\n");
        return count > 0;   // EINTR: a wait may end early
    }

    /// True if nothing is left to wait for there, and the place went to another.
    bool take_news(std::size_t place, ready_list& ready) noexcept {
        pollfd& p = set_[place];
        std::uint8_t news = 0;
        if (p.revents & POLLIN)
            news |= registration::readable;
        if (p.revents & POLLOUT)
            news |= registration::writable;
        if (p.revents & (POLLERR | POLLHUP | POLLNVAL))   // whoever waits tries, and is told by the system call
            news = registration::readable | registration::writable | registration::unusual;
        ready.add(*owners_[place], news);
        // Level: what is not taken out would be reported again and again while nobody reads it.
        p.events = static_cast<short>(p.events & ~events_of(news));
        if (p.events != 0)
            return false;
        drop(place);
        return true;
    }

    /// The last one takes the place.
    void drop(std::size_t place) noexcept {
        const registration& gone = *owners_[place];
        set_[place] = set_.back();
        owners_[place] = owners_.back();
        places_[owners_[place]->index] = place;
        places_[gone.index] = nowhere;
        set_.pop_back();
        owners_.pop_back();
    }

    posix::wake_fd wake_;
    std::vector<pollfd> set_;             // first the wake descriptor, then who waits for something
    std::vector<registration*> owners_;   // of each place in the set
    std::vector<std::size_t> places_;     // of each registration, by its index
};

}

std::unique_ptr<backend> make_poll() { return std::make_unique<reactor>(std::make_unique<poll_poller>(), "poll"); }

}
