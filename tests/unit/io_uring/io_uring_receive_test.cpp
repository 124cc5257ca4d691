// io_uring_receive_test.cpp - bytes that the kernel hands over before they are asked for: in order, bounded, never lost.
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace seam;

namespace {

constexpr std::uint32_t limit = 16384;

std::unique_ptr<backend> make_ahead() {
    io_uring_options o;
    o.receives_ahead = limit;
    return make_io_uring(o);
}

std::string read_some(backend& b, handle h, std::size_t size = 16) {
    read_card r(h, size);
    if (b.submit(r.o) == submitted::pending)
        seam::wait_for(b, r.o);
    REQUIRE(r.o.error == 0);
    return r.text();
}

/// A connection that the backend accepted itself; its bytes come ahead from the first read on that had to wait.
struct ahead_connection {
    explicit ahead_connection(backend& engine, int kernel_buffers = 0) : b(engine) {
        const fd listener = plain_listener();
        if (kernel_buffers)
            REQUIRE(::setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUF, &kernel_buffers, sizeof kernel_buffers) == 0);
        const auto adopted = b.adopt(::dup(listener.get()), handle_kind::tcp_listener);
        REQUIRE(adopted);
        peer = plain_connect(name_of(listener.get()));
        if (kernel_buffers)
            REQUIRE(::setsockopt(peer.get(), SOL_SOCKET, SO_SNDBUF, &kernel_buffers, sizeof kernel_buffers) == 0);
        card o(operation_kind::accept, *adopted);
        if (b.submit(o) == submitted::pending)
            seam::wait_for(b, o);
        REQUIRE(o.error == 0);
        ours = o.accepted;
        CHECK_FALSE(b.close(*adopted));

        (void)collect(b);
        begin_ahead();
    }
    void begin_ahead() {
        read_card first(ours);
        REQUIRE(b.submit(first.o) == submitted::pending);
        CHECK(collect(b).empty());
        send_all(peer, "hello");
        seam::wait_for(b, first.o);
        REQUIRE(first.text() == "hello");
    }
    ~ahead_connection() {
        if (ours)
            (void)b.close(ours);
    }

    backend& b;
    fd peer;
    handle ours;
};

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + i * 7919 % 26);
    return text;
}

}

TEST_CASE("received ahead, bytes are given in order, in pieces of any size, each once") {
    const auto b = make_ahead();
    ahead_connection c(*b);
    const std::string all = pattern(1 << 20);
    bool all_sent = false;   // the framework's macros are for one thread
    std::thread sender([&] { all_sent = ::send(c.peer.get(), all.data(), all.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(all.size()); });
    std::string got;
    for (std::size_t size = 1; got.size() < all.size(); size = size * 5 % 20011)
        got += read_some(*b, c.ours, size);
    sender.join();
    CHECK(all_sent);
    CHECK(got == all);

    // The buffers are free again, each time.
    for (int i = 0; i < 300; ++i)
        c.begin_ahead();
    send_all(c.peer, "x");
    settle(*b);
    control_request release(control_kind::release);
    CHECK(b->control(c.ours, release).value() == EBUSY);
}

TEST_CASE("received ahead, a peer whose bytes nobody reads is held back, and nothing of it is lost") {
    const auto b = make_ahead();
    constexpr int kernel_buffers = 32768;   // of which it makes twice as much
    ahead_connection c(*b, kernel_buffers);
    const std::string piece = pattern(4096);
    std::size_t sent = 0;
    int full = 0;
    for (; full < 3; settle(*b)) {
        const auto n = ::send(c.peer.get(), piece.data(), piece.size(), MSG_DONTWAIT);
        full = n < 0 ? full + 1 : 0;
        sent += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
        REQUIRE(sent < limit + (128u << 10) + 8 * kernel_buffers);
    }
    const fd peer = std::move(c.peer);
    REQUIRE(::shutdown(peer.get(), SHUT_WR) == 0);
    std::size_t got = 0;
    for (;;) {
        const std::string some = read_some(*b, c.ours, 10'000);
        if (some.empty())
            break;
        got += some.size();
    }
    CHECK(got == sent);
    CHECK(read_some(*b, c.ours).empty());
}

TEST_CASE("received ahead, a read that is cancelled leaves the bytes to the next one") {
    const auto b = make_ahead();
    ahead_connection c(*b);
    for (int round = 0; round < 20; ++round) {
        read_card first(c.ours);
        REQUIRE(b->submit(first.o) == submitted::pending);
        if (round % 2)
            CHECK(collect(*b).empty());
        CHECK(b->cancel(first.o));
        send_all(c.peer, std::to_string(round));
        CHECK(collect(*b).front() == &first.o);
        CHECK(first.o.error == ECANCELED);
        CHECK(read_some(*b, c.ours) == std::to_string(round));
    }
}

TEST_CASE("received ahead, an end and a reset come after the bytes, and stay") {
    const auto b = make_ahead();
    {
        ahead_connection c(*b);
        send_all(c.peer, "last");
        c.peer = fd();
        settle(*b);
        CHECK(read_some(*b, c.ours) == "last");
        CHECK(read_some(*b, c.ours).empty());
        CHECK(read_some(*b, c.ours).empty());
    }
    ahead_connection c(*b);
    send_all(c.peer, "last");
    settle(*b);
    close_with_reset(c.peer);
    settle(*b);
    CHECK(read_some(*b, c.ours) == "last");
    for (int i = 0; i < 2; ++i) {
        read_card r(c.ours);
        if (b->submit(r.o) == submitted::pending)
            seam::wait_for(*b, r.o);
        CHECK(r.o.error == ECONNRESET);
    }
    // It was told: nothing is left that a release would lose.
    control_request release(control_kind::release);
    CHECK_FALSE(b->control(c.ours, release));
    c.ours = handle();
    const fd ours(static_cast<int>(release.native));
}

TEST_CASE("received ahead, a stream that is closed in the middle of a buffer gives all of it back") {
    const auto b = make_ahead();
    for (int i = 0; i < 300; ++i) {   // more often than there are buffers
        ahead_connection c(*b);
        send_all(c.peer, "half read");
        settle(*b);
        REQUIRE(read_some(*b, c.ours, 4) == "half");
    }
    ahead_connection c(*b);
    send_all(c.peer, "x");
    settle(*b);
    control_request release(control_kind::release);
    CHECK(b->control(c.ours, release).value() == EBUSY);   // it came ahead
}

TEST_CASE("received ahead, a stream that is closed with bytes that nobody read resets its peer") {
    const auto b = make_ahead();
    for (const bool settles : {false, true}) {
        ahead_connection c(*b);
        send_all(c.peer, "unread");
        if (settles)
            settle(*b);
        CHECK_FALSE(b->close(std::exchange(c.ours, handle())));
        char byte = 0;
        CHECK(::recv(c.peer.get(), &byte, 1, 0) == -1);
        CHECK(errno == ECONNRESET);
    }
}

TEST_CASE("received ahead, a stream is released once what came has been read") {
    const auto b = make_ahead();
    ahead_connection c(*b);
    send_all(c.peer, "first");
    settle(*b);
    control_request release(control_kind::release);
    CHECK(b->control(c.ours, release).value() == EBUSY);
    CHECK(read_some(*b, c.ours) == "first");
    CHECK_FALSE(b->control(c.ours, release));
    c.ours = handle();
    const fd ours(static_cast<int>(release.native));
    send_all(c.peer, "later");
    wait_readable(ours.get());
    std::string text(5, '\0');
    CHECK(::recv(ours.get(), text.data(), text.size(), MSG_WAITALL) == 5);
    CHECK(text == "later");
}

TEST_CASE("received ahead, readiness is told of bytes that came before the question, and after it") {
    const auto b = make_ahead();
    ahead_connection c(*b);
    for (const bool before : {true, false}) {
        if (before) {
            send_all(c.peer, "x");
            settle(*b);
        }
        card ready(operation_kind::poll, c.ours);
        ready.wanted = ready::readable;
        const submitted s = b->submit(ready);
        CHECK(s == (before ? submitted::finished : submitted::pending));
        if (!before) {
            CHECK(collect(*b).empty());
            send_all(c.peer, "x");
            seam::wait_for(*b, ready);
        }
        CHECK(ready.error == 0);
        CHECK(ready.found == ready::readable);
        CHECK(read_some(*b, c.ours) == "x");
    }
}

TEST_CASE("received ahead, one connection goes on while the bytes of others fill every buffer") {
    const auto b = make_ahead();
    std::vector<std::unique_ptr<ahead_connection>> idle;
    for (int i = 0; i < 100; ++i)
        idle.push_back(std::make_unique<ahead_connection>(*b));
    ahead_connection busy(*b);
    const std::string piece = pattern(16000);   // four buffers of 256 for each
    for (const auto& c : idle) {
        send_all(c->peer, piece);
        settle(*b);
    }
    for (int i = 0; i < 10; ++i) {
        send_all(busy.peer, std::to_string(i));
        CHECK(read_some(*b, busy.ours) == std::to_string(i));
    }
    std::size_t right = 0;
    for (const auto& c : idle) {
        std::string got;
        while (got.size() < piece.size())
            got += read_some(*b, c->ours, 5000);
        right += got == piece;
    }
    CHECK(right == idle.size());
}
