// os_descriptor.hpp - descriptors of a POSIX system, for the cases that are about them.
#pragma once

#include <support/catch.hpp>
#include <support/os.hpp>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

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

/// The first descriptor of this process whose kind is called by one of these words; of its only loop, if nobody else has such. Throws
/// std::runtime_error if there is none.
inline int own_descriptor(const std::vector<std::string>& kinds) {
    const auto open = open_descriptors().value();
    for (const std::string& kind : kinds)
        for (const std::string& d : open)
            if (d.find(kind) != std::string::npos)
                return std::stoi(d);
    throw std::runtime_error("this process has no " + kinds.front());
}

/// Writes to an eventfd what its counter takes: from then on each write answers EAGAIN.
inline void fill_counter(int eventfd) {
    std::uint64_t step = std::uint64_t(1) << 63;
    while (step > 0) {
        if (::write(eventfd, &step, sizeof step) < 0)
            step /= 2;
    }
    const std::uint64_t one = 1;
    REQUIRE(::write(eventfd, &one, sizeof one) == -1);
    REQUIRE(errno == EAGAIN);
}

/// Connects a blocking socket, however often a signal interrupts it. Throws std::system_error.
inline void connect_blocking(int socket, const sockaddr_in& to) {
    while (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "connect");
}

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
    connect_blocking(one.get(), at);
    descriptor other(must(::accept(listener.get(), nullptr, nullptr), "accept"));
    for (const descriptor* const end : {&one, &other})
        must(::fcntl(end->get(), F_SETFD, FD_CLOEXEC), "fcntl");
    return {std::move(one), std::move(other)};
}

}
