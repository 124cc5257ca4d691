// native_poller.hpp - the system's own poller, for pollers that let another library's loop do nothing but wait for it.
//
// That loop knows one descriptor only: it sets no flags of sockets, and meets no socket that was closed behind its back.
#pragma once

#if __has_include(<sys/epoll.h>)
#include "epoll_poller.hpp"
#else
#include "kqueue_poller.hpp"
#endif

#include <utility>

namespace corun {

#if __has_include(<sys/epoll.h>)
using native_poller = epoll_poller;
#else
using native_poller = kqueue_poller;
#endif

/// The system's poller, emptied whenever the loop that waits for it says so; its news is kept until the reactor asks.
class collecting_poller {
public:
    std::error_code attach(registration& r) noexcept { return poller_.attach(r); }

    void detach(registration& r) noexcept {
        news_.remove(r);
        poller_.detach(r);
    }

    /// Any thread, any signal handler.
    void wake() noexcept { poller_.wake(); }

    /// Polls readable until collect() has taken what there is.
    int descriptor() const noexcept { return static_cast<int>(poller_.wait_handle()); }

    void collect() noexcept {
        if (poller_.wait(time_point::min(), news_))
            woken_ = true;
    }

    bool has_news() const noexcept { return woken_ || !news_.empty(); }

    /// As poller::wait()'s answer.
    bool take(ready_list& ready) noexcept {
        ready.splice_back(news_);
        return std::exchange(woken_, false);
    }

private:
    native_poller poller_;
    ready_list news_;
    bool woken_ = false;
};

}
