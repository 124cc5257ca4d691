// poll_host.cpp - see poll_host.hpp.
#include <corun/hosting.hpp>
#include <corun/poll_host.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace corun {
namespace {

/// What a step may take at the end of run_for().
constexpr duration least_time = std::chrono::microseconds(20);

/// Until the descriptor is readable, or the time is over: to the nanosecond where the system can.
void wait(pollfd& to_poll, duration at_most) noexcept {
    const bool is_bounded = at_most != duration::max();
#if defined(__APPLE__)
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
    ::poll(&to_poll, 1, is_bounded ? static_cast<int>(std::min<std::int64_t>(left, INT_MAX)) : -1);
#else
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at_most);
    const timespec left{.tv_sec = static_cast<std::time_t>(seconds.count()), .tv_nsec = static_cast<long>((at_most - seconds).count())};
    ::ppoll(&to_poll, 1, is_bounded ? &left : nullptr, nullptr);
#endif
}

}

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

poll_host::poll_host(guest& g, dispatch_budget budget) : guest_(g), hosting_(std::make_unique<hosting>(g, budget)) {
    switch (const guest_news news = usable_news(g, watched_by::poll)) {
    case guest_news::handle: hosting_->attach(news, {}); break;   // its own wake-up makes it readable
    case guest_news::host_loop:
        throw usage_error(errc::wrong_thread,
                          "corun::poll_host can't turn a guest whose backend lives on another loop; turn that loop instead");
    case guest_news::helper_thread: pipe_ = std::make_unique<pipe>(); hosting_->attach(news, {&pipe::write, pipe_.get()});
    }
}

poll_host::~poll_host() = default;

/// Zero if there is something to do, max() if nothing is to come by itself.
duration poll_host::prepare_to_poll(pollfd& to_poll) noexcept {
    to_poll = {.fd = -1, .events = POLLIN, .revents = 0};
    if (guest_.is_dispatching())   // a loop inside a task: nothing is to be polled
        return duration::max();
    to_poll.fd = static_cast<int>(pipe_ ? pipe_->ends[0] : guest_.poll_handle());
    if (guest_.is_finished() || hosting_->prepare())
        return duration::zero();
    const auto deadline = hosting_->deadline();
    return deadline ? std::max(*deadline - guest_.get_loop().time(), duration::zero()) : duration::max();
}

int poll_host::prepare(pollfd& to_poll) noexcept {
    const duration left = prepare_to_poll(to_poll);
    if (left == duration::max())
        return -1;
    return static_cast<int>(std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), INT_MAX));
}

dispatch_result poll_host::dispatch() noexcept { return dispatch(hosting_->budget()); }

dispatch_result poll_host::dispatch(const dispatch_budget& budget) noexcept {
    if (pipe_ && !guest_.is_dispatching())
        pipe_->drain();
    return hosting_->dispatch(budget).value_or(dispatch_result{.more = false, .finished = true});
}

dispatch_result poll_host::run_once(duration at_most) {
    guest_.check_thread();
    const auto now = [this] { return guest_.get_loop().time(); };
    const time_point end = at_most == duration::max() ? no_deadline : saturating_add(now(), at_most);
    pollfd to_poll;
    wait(to_poll, std::min(prepare_to_poll(to_poll), at_most));   // interrupted or not: dispatch() looks
    dispatch_budget budget = hosting_->budget();
    // A step has to be possible in each call, or a guest would never get anywhere.
    if (end != no_deadline && at_most > duration::zero())
        budget.time = std::clamp(end - now(), std::min(budget.time, least_time), budget.time);
    return dispatch(budget);
}

bool poll_host::run_for(duration d) {
    guest_.check_thread();
    const time_point end = saturating_add(guest_.get_loop().time(), d);
    for (;;) {
        const duration left = end - guest_.get_loop().time();
        if (guest_.is_finished() || left <= duration::zero())
            return guest_.is_finished();
        if (run_once(left).finished)
            return true;   // on_done may have ended guest and host
    }
}

void poll_host::run() {
    while (guest_.is_started() && !guest_.is_finished()) {
        if (run_once().finished)
            return;
    }
}

}
