// seam.hpp - a backend used directly, without a loop: cards by hand, peers that are plain sockets.
#pragma once

#include <common/sockaddr.hpp>
#include <corun/backend.hpp>
#include <corun/epoll.hpp>
#include <posix/fd.hpp>
#include <posix/socket.hpp>
#include <support/catch.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/tcp.h>

namespace seam {

using namespace corun;
using posix::fd;

/// An operation without a task.
struct card final : operation {
    card(operation_kind k, handle h) noexcept : operation(k, h) {}
    card(operation_kind k, handle h, void* data, std::size_t size) noexcept : operation(k, h) { slice = {data, size}; }

    interruption interrupt(detail::task_state*&) noexcept override { return interruption::refused; }
    std::string_view what() const noexcept override { return "card"; }

    bool is_finished() const noexcept { return state == operation_state::finished; }
    bool is_pending() const noexcept { return state == operation_state::pending; }
};

/// A read card with its buffer.
struct read_card {
    explicit read_card(handle h, std::size_t size = 16) : buffer(size, '\0'), o(operation_kind::read, h, buffer.data(), size) {}
    std::string text() const { return buffer.substr(0, o.count); }

    std::string buffer;
    card o;
};

/// A write card for a text.
struct write_card {
    write_card(handle h, std::string_view text) : o(operation_kind::write, h, const_cast<char*>(text.data()), text.size()) {}
    card o;
};

/// Writes until the kernel takes no more; the last write is pending.
struct parked_write {
    parked_write(backend& b, handle h) {
        do
            o = std::make_unique<card>(operation_kind::write, h, much.data(), much.size());
        while (b.submit(*o) == submitted::finished);
        REQUIRE(o->is_pending());
    }
    std::vector<char> much = std::vector<char>(1 << 20, 'x');
    std::unique_ptr<card> o;
};

/// What one wait() that does not block gives.
inline std::vector<operation*> collect(backend& b, time_point deadline = time_point::min()) {
    operation_list finished;
    b.wait(deadline, finished);
    std::vector<operation*> all;
    while (operation* const o = finished.pop_front())
        all.push_back(o);
    return all;
}

/// Waits until the card is finished; others that finish meanwhile are let go.
inline void wait_for(backend& b, const card& o) {
    while (!o.is_finished())
        collect(b, time_point::max());
}

/// Until the kernel has nothing more to hand over, where no operation finishes by it. Over loopback a connection is there when connect()
/// returns, and bytes when send() does.
inline void settle(backend& b) {
    operation_list finished;
    for (int quiet = 0; quiet < 2;)
        quiet = b.wait(time_point::min(), finished) == waited::news ? 0 : quiet + 1;
    REQUIRE(finished.pop_front() == nullptr);
}

/// A plain socket of the test's own, blocking.
inline fd plain_socket() {
    fd s(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(s);
    return s;
}

inline address name_of(int s) {
    common::native_address a;
    REQUIRE(::getsockname(s, a.data(), &a.size) == 0);
    return a.portable();
}

/// A plain listening socket on a port of the system's choice.
inline fd plain_listener() {
    fd s = plain_socket();
    const common::native_address where(address::loopback());
    REQUIRE(::bind(s.get(), where.data(), where.size) == 0);
    REQUIRE(::listen(s.get(), 128) == 0);
    return s;
}

inline fd plain_connect(const address& to) {
    fd s = plain_socket();
    const common::native_address where(to);
    REQUIRE(::connect(s.get(), where.data(), where.size) == 0);
    const int on = 1;   // each send leaves at once
    REQUIRE(::setsockopt(s.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    return s;
}

/// The two ends of a TCP connection, both plain.
inline std::pair<fd, fd> plain_pair() {
    const fd listener = plain_listener();
    fd one = plain_connect(name_of(listener.get()));
    fd other(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(other);
    return {std::move(one), std::move(other)};
}

inline void send_all(const fd& to, std::string_view text, int flags = 0) {
    REQUIRE(::send(to.get(), text.data(), text.size(), flags) == static_cast<ssize_t>(text.size()));
}

inline void close_with_reset(fd& s) {
    const linger reset{1, 0};
    REQUIRE(::setsockopt(s.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    s = fd();
}

/// Until the kernel has something for `at`: loopback delivers within send(), but that is no promise.
inline void wait_readable(int at, short events = POLLIN) {
    pollfd p{at, events, 0};
    REQUIRE(::poll(&p, 1, 5000) == 1);
}

/// A connection between the backend (`ours`) and a plain socket.
struct connection {
    explicit connection(backend& b) : connection(b, plain_pair(), 0) {}

    /// Takes the first free number from `number` on.
    connection(backend& b, std::pair<fd, fd>&& ends, int number) : engine(b), peer(std::move(ends.first)) {
        native = ::fcntl(ends.second.get(), F_DUPFD_CLOEXEC, number);
        REQUIRE(native >= number);
        ends.second = fd();
        const auto adopted = b.adopt(native, handle_kind::tcp_stream);
        REQUIRE(adopted);
        ours = *adopted;
    }
    ~connection() {
        if (ours)
            (void)engine.close(ours);
    }
    std::error_code close() { return engine.close(std::exchange(ours, handle())); }

    backend& engine;
    fd peer;
    int native = -1;
    handle ours;
};

/// block() on another thread, of a backend that has no wait_handle(): it returns with the news, and leaves all of it to wait().
inline void check_block_without_handle(backend& b) {
    using namespace std::chrono_literals;
    const auto block_until = [&b](time_point deadline) { std::thread([&] { b.block(deadline); }).join(); };
    REQUIRE(b.wait_handle() == no_native_handle);
    connection c(b);
    read_card r(c.ours);
    REQUIRE(b.submit(r.o) == submitted::pending);
    CHECK(collect(b).empty());
    const time_point deadline = b.now() + 3ms;
    block_until(deadline);
    CHECK(b.now() >= deadline);

    send_all(c.peer, "x");
    block_until(time_point::max());
    block_until(time_point::max());   // nobody has taken it yet
    CHECK(r.o.is_pending());
    CHECK(collect(b, time_point::max()) == std::vector<operation*>{&r.o});

    std::thread blocked([&b] { b.block(time_point::max()); });
    b.wake();
    blocked.join();
    operation_list finished;
    CHECK(b.wait(time_point::max(), finished) == waited::news);

    read_card next(c.ours);
    REQUIRE(b.submit(next.o) == submitted::pending);
    REQUIRE(b.cancel(next.o));
    block_until(time_point::max());   // an answer that came without the poller
    CHECK(collect(b) == std::vector<operation*>{&next.o});
}

}
