// os_descriptor.hpp - descriptors of a POSIX system, for the cases that are about them.
#pragma once

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace testing::os {

/// Owns a descriptor.
class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int owned) noexcept : number_(owned) {}
    descriptor(descriptor&& other) noexcept : number_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }

    explicit operator bool() const noexcept { return number_ >= 0; }
    int get() const noexcept { return number_; }
    int release() noexcept { return std::exchange(number_, -1); }

private:
    int number_ = -1;
};

/// Two ends of a TCP connection over loopback, close-on-exec. Throws std::system_error.
inline std::pair<descriptor, descriptor> tcp_pair() {
    const auto must = [](int answer, const char* call) {
        if (answer < 0)
            throw std::system_error(errno, std::generic_category(), call);
        return answer;
    };
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const descriptor listener(must(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    must(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), size), "bind");
    must(::listen(listener.get(), 1), "listen");
    must(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
    descriptor one(must(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
    must(::connect(one.get(), reinterpret_cast<const sockaddr*>(&at), size), "connect");
    descriptor other(must(::accept(listener.get(), nullptr, nullptr), "accept"));
    for (const descriptor* const end : {&one, &other})
        must(::fcntl(end->get(), F_SETFD, FD_CLOEXEC), "fcntl");
    return {std::move(one), std::move(other)};
}

}
