// io_uring_accept_test.cpp - connections that the kernel hands over before they are asked for: given in order, bounded, never lost.
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>
#include <support/os.hpp>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace seam;
using namespace testing;

namespace {

constexpr std::size_t limit = 4;

io_uring_options ahead() {
    io_uring_options o;
    o.accepts_ahead = limit;
    return o;
}

/// A listener that doesn't block, in a backend that accepts ahead.
struct listening {
    explicit listening(std::unique_ptr<backend> engine = make_io_uring(ahead())) : b(std::move(engine)), plain(plain_listener()) {
        ::fcntl(plain.get(), F_SETFL, ::fcntl(plain.get(), F_GETFL) | O_NONBLOCK);
        const auto adopted = b->adopt(::fcntl(plain.get(), F_DUPFD_CLOEXEC, 0), handle_kind::tcp_listener);
        REQUIRE(adopted);
        listener = *adopted;
    }
    ~listening() {
        if (listener)
            (void)b->close(listener);
    }

    std::vector<fd> connect(std::size_t count) {
        std::vector<fd> clients;
        for (std::size_t i = 0; i < count; ++i)
            clients.push_back(plain_connect(name_of(plain.get())));
        return clients;
    }

    /// Accepts, waiting, and says whose connection it was.
    address accept() {
        address peer;
        card o(operation_kind::accept, listener);
        o.peer = &peer;
        if (b->submit(o) == submitted::pending)
            seam::wait_for(*b, o);
        REQUIRE(o.error == 0);
        CHECK_FALSE(b->close(o.accepted));
        return peer;
    }

    std::size_t descriptors() const { return os::open_descriptors().value().size(); }

    std::unique_ptr<backend> b;
    fd plain;
    handle listener;
};

}

TEST_CASE("accepted ahead, connections are given in the order in which they came, each once") {
    listening l;
    const auto clients = l.connect(1);
    CHECK(l.accept() == name_of(clients[0].get()));
    for (int round = 0; round < 20; ++round) {
        const auto more = l.connect(7);
        if (round % 2)
            settle(*l.b);
        for (const fd& client : more)
            CHECK(l.accept() == name_of(client.get()));
    }
}

TEST_CASE("accepted ahead, a client that nobody asks for is taken no further than the limit and what the kernel had by then") {
    listening l;
    const auto first = l.connect(1);
    CHECK(l.accept() == name_of(first[0].get()));
    const auto before = l.descriptors();
    const auto some = l.connect(limit);
    settle(*l.b);
    CHECK(l.descriptors() == before + limit + limit);   // the clients' own, and ours
    const auto more = l.connect(30);
    settle(*l.b);
    CHECK(l.descriptors() == before + limit + limit + 30);   // these are the kernel's still
    for (const auto* each : {&some, &more})
        for (const fd& client : *each)
            CHECK(l.accept() == name_of(client.get()));
}

TEST_CASE("accepted ahead, an accept that is cancelled leaves the next connection to the next one") {
    listening l;
    for (int round = 0; round < 20; ++round) {
        card first(operation_kind::accept, l.listener);
        REQUIRE(l.b->submit(first) == submitted::pending);
        if (round % 2)
            CHECK(collect(*l.b).empty());
        CHECK(l.b->cancel(first));
        const auto clients = l.connect(1);
        CHECK(collect(*l.b).front() == &first);
        CHECK(first.error == ECANCELED);
        CHECK(l.accept() == name_of(clients[0].get()));
    }
}

TEST_CASE("accepted ahead, a listener that is closed resets those whom nobody has taken, and leaves nothing open") {
    listening l;
    const auto before = l.descriptors();
    {
        auto clients = l.connect(3);
        CHECK(l.accept() == name_of(clients[0].get()));
        settle(*l.b);
        CHECK_FALSE(l.b->close(std::exchange(l.listener, handle())));
        for (const std::size_t i : {1u, 2u}) {
            char byte = 0;
            CHECK(::recv(clients[i].get(), &byte, 1, 0) == -1);
            CHECK(errno == ECONNRESET);
        }
    }
    settle(*l.b);
    CHECK(l.descriptors() == before - 1);   // the listener's
}

TEST_CASE("accepted ahead, a listener is released once what came has been accepted") {
    listening l;
    const auto clients = l.connect(2);
    CHECK(l.accept() == name_of(clients[0].get()));
    settle(*l.b);
    control_request release(control_kind::release);
    CHECK(l.b->control(l.listener, release).value() == EBUSY);
    CHECK(l.accept() == name_of(clients[1].get()));
    CHECK_FALSE(l.b->control(l.listener, release));
    l.listener = handle();
    const fd ours(static_cast<int>(release.native));
    const auto later = l.connect(1);
    const fd theirs(::accept4(ours.get(), nullptr, nullptr, SOCK_CLOEXEC));
    CHECK(theirs);
}

TEST_CASE("accepted ahead, a backend that goes with connections waiting leaves nothing open") {
    const auto before = os::open_descriptors();
    {
        listening l;
        const auto clients = l.connect(3);
        CHECK(l.accept() == name_of(clients[0].get()));
        settle(*l.b);
        l.listener = handle();
        l.b.reset();
    }
    CHECK(os::open_descriptors() == before);
}

TEST_CASE("accepted ahead, a socket that does not listen answers so, and one that blocks is asked first") {
    const auto b = make_io_uring(ahead());
    const auto made = b->open(socket_type::tcp_v4);
    REQUIRE(made);
    card o(operation_kind::accept, *made);
    REQUIRE(b->submit(o) == submitted::pending);
    seam::wait_for(*b, o);
    CHECK(o.error == EINVAL);
    CHECK_FALSE(b->close(*made));

    const fd plain = plain_listener();
    const auto blocking = b->adopt(::fcntl(plain.get(), F_DUPFD_CLOEXEC, 0), handle_kind::tcp_listener);
    REQUIRE(blocking);
    const fd client = plain_connect(name_of(plain.get()));
    card taken(operation_kind::accept, *blocking);
    if (b->submit(taken) == submitted::pending)
        seam::wait_for(*b, taken);
    CHECK(taken.error == 0);
    CHECK_FALSE(b->close(taken.accepted));
    CHECK_FALSE(b->close(*blocking));
}
