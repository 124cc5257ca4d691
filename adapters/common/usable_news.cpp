// usable_news.cpp - see usable_news.hpp: the question is put to the system, with a wake-up.
#include <corun/usable_news.hpp>

#include <cerrno>
#include <chrono>
#include <system_error>

#include <poll.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#else
#include <sys/event.h>
#endif

namespace corun {
namespace {

constexpr std::chrono::milliseconds patience(100);

/// `wait(milliseconds)` until it is not interrupted; true if it told of something.
template <class F>
bool tells(F wait) noexcept {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        const int told = wait(static_cast<int>(left > 0 ? left : 0));
        if (told >= 0 || errno != EINTR)
            return told > 0;
    }
}

bool fires_in_poll(int fd) noexcept {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return tells([&](int milliseconds) { return ::poll(&watched, 1, milliseconds); });
}

/// A poller that watches one descriptor.
class outer_poller {
public:
    outer_poller() : fd_(make()) {
        if (fd_ < 0)
            throw std::system_error(errno, std::system_category(), "corun: a poller to try a guest's handle in");
    }
    outer_poller(const outer_poller&) = delete;
    ~outer_poller() { ::close(fd_); }

    /// False also where the descriptor can't be watched.
    bool fires(int fd) noexcept {
        return tells([=, this](int milliseconds) { return wait_for(fd, milliseconds); });
    }

private:
#ifdef __linux__
    static int make() noexcept { return ::epoll_create1(EPOLL_CLOEXEC); }
    int wait_for(int fd, int milliseconds) noexcept {
        epoll_event event{};
        event.events = EPOLLIN;
        if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0 && errno != EEXIST)
            return 0;
        return ::epoll_wait(fd_, &event, 1, milliseconds);
    }
#else
    static int make() noexcept { return ::kqueue(); }
    int wait_for(int fd, int milliseconds) noexcept {
        struct ::kevent change{};
        change.ident = static_cast<decltype(change.ident)>(fd);
        change.filter = EVFILT_READ;
        change.flags = EV_ADD;
        const timespec time{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000L};
        struct ::kevent event{};
        const int told = ::kevent(fd_, &change, 1, &event, 1, &time);
        return told > 0 && (event.flags & EV_ERROR) ? 0 : told;
    }
#endif

    int fd_;
};

}

guest_news usable_news(guest& g, watched_by how) {
    g.check_thread();
    if (g.news() != guest_news::handle)
        return g.news();
    if (how == watched_by::none)
        return guest_news::helper_thread;
    const int fd = static_cast<int>(g.poll_handle());
    g.make_readable();
    const bool fires = how == watched_by::poll ? fires_in_poll(fd) : outer_poller().fires(fd);
    return fires ? guest_news::handle : guest_news::helper_thread;
}

}
