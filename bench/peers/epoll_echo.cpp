// epoll_echo.cpp - D2: the baseline, an echo server on bare epoll: edge-triggered, registered once, one buffer a connection.
#include "echo.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace {

int check(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

class session {
public:
    explicit session(int fd) noexcept : fd_(fd) {}
    session(const session&) = delete;
    ~session() { close(fd_); }

    /// False at the end.
    bool handle(std::uint32_t events) {
        // Once the peer has said that no more comes, a short read does not mean that the socket is empty: the end is behind it.
        if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            ending_ = true;
        for (bool empty = false; flush();) {
            if (empty)
                return true;   // waits at once, instead of a read that answers EAGAIN
            const ssize_t count = read(fd_, buffer_.data(), buffer_.size());
            if (count <= 0)
                return count < 0 && errno == EAGAIN;
            sent_ = 0;
            filled_ = std::size_t(count);
            empty = filled_ < buffer_.size() && !ending_;
        }
        return errno == EAGAIN;
    }

private:
    /// False, with errno, if not everything could be written.
    bool flush() {
        while (sent_ < filled_) {
            const ssize_t count = send(fd_, buffer_.data() + sent_, filled_ - sent_, MSG_NOSIGNAL);
            if (count < 0)
                return false;
            sent_ += std::size_t(count);
        }
        return true;
    }

    int fd_;
    bool ending_ = false;
    std::size_t sent_ = 0;
    std::size_t filled_ = 0;
    std::array<char, bench::echo_buffer> buffer_;
};

class server {
public:
    explicit server(int connections) : to_accept_(connections) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof where;
        check(bind(listener_, reinterpret_cast<sockaddr*>(&where), size), "bind");
        check(listen(listener_, SOMAXCONN), "listen");
        check(getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size), "getsockname");
        watch(listener_, EPOLLIN, nullptr);
        bench::announce(ntohs(where.sin_port));
    }

    void run() {
        std::array<epoll_event, 256> events;
        while (to_accept_ + open_ > 0) {
            const int count = epoll_wait(epoll_, events.data(), int(events.size()), -1);
            for (int i = 0; i < count; ++i)
                handle(events[std::size_t(i)]);
        }
    }

private:
    void watch(int fd, std::uint32_t events, void* data) {
        epoll_event e{};
        e.events = events;
        e.data.ptr = data;
        check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e), "epoll_ctl");
    }

    void handle(const epoll_event& e) {
        if (!e.data.ptr)
            return accept_one();
        auto* const s = static_cast<session*>(e.data.ptr);
        if (!s->handle(e.events)) {
            delete s;
            --open_;
        }
    }

    void accept_one() {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, new session(fd));
        ++open_;
        if (--to_accept_ == 0)
            close(listener_);
    }

    int epoll_ = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    int listener_ = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    int to_accept_;
    int open_ = 0;
};

}

int main(int argc, char** argv) { server(bench::connections_to_serve(argc, argv)).run(); }
