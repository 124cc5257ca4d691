// poll_host.cpp - see poll_host.hpp.
#include <corun/guest_waiter.hpp>
#include <corun/poll_host.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace corun {

/// What the helper thread makes readable.
struct poll_host::pipe {
    pipe() {
        if (::pipe(ends.data()) != 0)
            throw std::system_error(errno, std::system_category(), "corun: pipe");
        for (const int end : ends) {
            ::fcntl(end, F_SETFD, FD_CLOEXEC);
            ::fcntl(end, F_SETFL, ::fcntl(end, F_GETFL) | O_NONBLOCK);
        }
    }
    pipe(const pipe&) = delete;
    ~pipe() {
        for (const int end : ends)
            ::close(end);
    }

    static void write(void* self) noexcept {
        const char byte = 0;
        // A full pipe is readable as well.
        [[maybe_unused]] const auto written = ::write(static_cast<pipe*>(self)->ends[1], &byte, 1);
    }
    void drain() const noexcept {
        std::array<char, 64> bytes;
        while (::read(ends[0], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
        }
    }

    std::array<int, 2> ends{};
};

poll_host::poll_host(guest& g, dispatch_budget budget) : guest_(g), budget_(budget) {
    wake_hook hook{[](void* hosted) noexcept { static_cast<guest*>(hosted)->unblock(); }, &g};
    switch (usable_news(g, watched_by::poll)) {
    case guest_news::handle: break;   // its own wake-up makes it readable
    case guest_news::host_loop:
        throw usage_error(errc::wrong_thread,
                          "corun::poll_host can't turn a guest whose backend lives on another loop; turn that loop instead");
    case guest_news::helper_thread:
        pipe_ = std::make_unique<pipe>();
        hook = {&pipe::write, pipe_.get()};
        waiter_ = std::make_unique<guest_waiter>(g, hook);
    }
    g.attach(hook);
}

poll_host::~poll_host() { guest_.detach(); }

native_handle poll_host::handle() const noexcept { return pipe_ ? pipe_->ends[0] : guest_.poll_handle(); }

/// Zero if there is something to do.
duration poll_host::time_to_sleep() noexcept {
    if (guest_.is_finished() || guest_.prepare())
        return duration::zero();
    const auto deadline = guest_.next_deadline();
    if (waiter_)
        waiter_->sleep_until(deadline.value_or(no_deadline));
    return deadline ? std::max(*deadline - guest_.get_loop().time(), duration::zero()) : duration::max();
}

int poll_host::prepare(pollfd& to_poll) noexcept {
    if (guest_.is_dispatching()) {   // a loop inside a task: nothing is to be polled
        to_poll = {.fd = -1, .events = 0, .revents = 0};
        return -1;
    }
    const duration left = time_to_sleep();
    to_poll = {.fd = static_cast<int>(handle()), .events = POLLIN, .revents = 0};
    if (left == duration::max())
        return -1;
    return static_cast<int>(std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), INT_MAX));
}

dispatch_result poll_host::dispatch() noexcept {
    if (waiter_ && !guest_.is_dispatching()) {
        waiter_->end_sleep();
        pipe_->drain();
    }
    return guest_.dispatch(budget_);
}

dispatch_result poll_host::run_once(duration at_most) {
    pollfd to_poll;
    int milliseconds = prepare(to_poll);
    if (at_most != duration::max()) {
        const auto bound = std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(at_most).count(), INT_MAX);
        milliseconds = milliseconds < 0 ? static_cast<int>(bound) : std::min(milliseconds, static_cast<int>(bound));
    }
    ::poll(&to_poll, 1, std::max(milliseconds, -1));   // interrupted or not: dispatch() looks
    return dispatch();
}

bool poll_host::run_for(duration d) {
    const time_point end = saturating_add(guest_.get_loop().time(), d);
    for (;;) {
        const duration left = end - guest_.get_loop().time();
        if (guest_.is_finished() || left <= duration::zero())
            return guest_.is_finished();
        run_once(left);
    }
}

void poll_host::run() {
    while (guest_.is_started() && !guest_.is_finished())
        run_once();
}

}
