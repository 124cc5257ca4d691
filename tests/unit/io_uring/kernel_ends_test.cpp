// kernel_ends_test.cpp - requests that the kernel ends by itself, or too late: nobody is told of it, and nothing stops.
#include <unit/io_uring/ahead.hpp>
#include <unit/io_uring/own_listener.hpp>
#include <unit/io_uring/ring_of_process.hpp>
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>
#include <support/allocations.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const std::vector<io_uring_options> all_options = {io_uring_options(), io_uring_options(4, 8), io_uring_options(4, 8, true)};

/// Requests that the backend has for the kernel and has not handed over: as many as the small ring takes.
struct waiting_reads {
    explicit waiting_reads(backend& engine) : b(engine) {
        for (int i = 0; i < 4; ++i) {
            connections.push_back(std::make_unique<connection>(b));
            reads.push_back(std::make_unique<read_card>(connections.back()->ours));
        }
    }
    void submit() {
        for (const auto& r : reads)
            REQUIRE(b.submit(r->o) == submitted::pending);
    }
    void end() {
        for (const auto& r : reads)
            (void)b.cancel(r->o);
        for (const auto& r : reads)
            seam::wait_for(b, r->o);
    }

    backend& b;
    std::vector<std::unique_ptr<connection>> connections;
    std::vector<std::unique_ptr<read_card>> reads;
};

}

TEST_CASE("RES-41 a request that the kernel ends by itself is made anew: a read, a poll and an accept go on waiting") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        const int ring = newest_ring();
        connection reads(*b), polls(*b);
        address where = address::loopback();
        const handle listener = listen_on(*b, where);
        read_card r(reads.ours);
        card readable(operation_kind::poll, polls.ours), a(operation_kind::accept, listener);
        readable.wanted = ready::readable;
        for (operation* const o : {static_cast<operation*>(&r.o), static_cast<operation*>(&readable), static_cast<operation*>(&a)})
            REQUIRE(b->submit(*o) == submitted::pending);
        for (int i = 0; i < 3; ++i) {
            CHECK(collect(*b).empty());
            end_all_requests(ring);
        }
        CHECK(collect(*b).empty());

        send_all(reads.peer, "x");
        send_all(polls.peer, "x");
        const fd client = plain_connect(where);
        for (const card* const o : {&r.o, &readable, &a}) {
            seam::wait_for(*b, *o);
            CHECK(o->error == 0);
        }
        CHECK(r.text() == "x");
        CHECK_FALSE(b->close(a.accepted));
        CHECK_FALSE(b->close(listener));
    }
}

TEST_CASE("RES-41 a wake is heard after the kernel has ended the request that watches for wakes") {
    for (const auto& options : all_options) {
        const auto b = make_io_uring(options);
        const int ring = newest_ring();
        collect(*b);
        for (int i = 0; i < 3; ++i) {
            end_all_requests(ring);
            collect(*b);
            collect(*b);
            b->wake();
            const time_point deadline = b->now() + 5s;
            operation_list finished;
            CHECK(b->wait(deadline, finished) == waited::news);
            CHECK(b->now() < deadline);
        }
    }
}

TEST_CASE("RES-41 an operation that was asked to end while its descriptor is told ready in vain ends") {
    const auto b = make_io_uring(io_uring_options(4, 8, true));   // this kernel's answer is in the queue as soon as the bytes are there
    connection c(*b);
    card readable(operation_kind::poll, c.ours);
    readable.wanted = ready::readable;
    REQUIRE(b->submit(readable) == submitted::pending);
    CHECK(collect(*b).empty());
    send_all(c.peer, "x");
    wait_readable(c.native);
    char byte = 0;
    REQUIRE(::recv(c.native, &byte, 1, 0) == 1);   // another one who shares the socket was faster
    (void)b->cancel(readable);
    const time_point deadline = b->now() + 5s;
    while (!readable.is_finished() && b->now() < deadline)
        collect(*b, deadline);
    REQUIRE(readable.is_finished());
    CHECK(readable.error == ECANCELED);
}

TEST_CASE("RES-41 a wake that came with the answers to a close keeps the next wait from sleeping") {
    const auto b = make_io_uring(ahead(io_uring_options(4, 8)));
    for (int i = 0; i < 3; ++i) {
        address where = address::loopback();
        const handle listener = listen_on(*b, where);
        begin_accepting_ahead(*b, listener);
        b->wake();
        CHECK_FALSE(b->close(listener));
        const time_point deadline = b->now() + 5s;
        operation_list finished;
        CHECK(b->wait(deadline, finished) == waited::news);
        CHECK(b->now() < deadline);
    }
}

TEST_CASE("RES-42 a connection that comes while its listener is being closed is closed too") {
    const auto b = make_io_uring(ahead(io_uring_options(4, 8)));
    waiting_reads others(*b);
    for (int i = 0; i < 5; ++i) {
        address where = address::loopback();
        const handle listener = listen_on(*b, where);
        begin_accepting_ahead(*b, listener);
        const auto before = os::open_descriptors().value().size();
        others.submit();   // the ring has to be entered before it has room for the listener's end
        {
            const fd client = plain_connect(where);
            CHECK_FALSE(b->close(listener));
            CHECK(os::open_descriptors().value().size() == before);   // one more, one less
            char byte = 0;
            CHECK(::recv(client.get(), &byte, 1, 0) <= 0);
        }
        others.end();
        CHECK(os::open_descriptors().value().size() == before - 1);
    }
}

TEST_CASE("RES-42 bytes that come while their stream is being closed reset the peer, and leave their buffers to others") {
    const auto b = make_io_uring(ahead(io_uring_options(4, 8)));
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    waiting_reads others(*b);
    const auto accept = [&](fd& peer) {
        peer = plain_connect(where);
        card o(operation_kind::accept, listener);
        if (b->submit(o) == submitted::pending)
            seam::wait_for(*b, o);
        REQUIRE(o.error == 0);
        return o.accepted;
    };
    const auto begin_ahead = [&](handle h) {
        read_card first(h);
        REQUIRE(b->submit(first.o) == submitted::pending);
        CHECK(collect(*b).empty());
        REQUIRE(b->cancel(first.o));
        CHECK(collect(*b) == std::vector<operation*>{&first.o});
    };
    std::size_t resets = 0;
    constexpr std::size_t rounds = 300;   // more than there are buffers
    for (std::size_t i = 0; i < rounds; ++i) {
        fd peer;
        const handle h = accept(peer);
        begin_ahead(h);
        others.submit();
        send_all(peer, "unread");
        CHECK_FALSE(b->close(h));
        others.end();
        char byte = 0;
        resets += ::recv(peer.get(), &byte, 1, 0) == -1 && errno == ECONNRESET;
    }
    CHECK(resets == rounds);

    fd peer;
    const handle h = accept(peer);
    begin_ahead(h);
    send_all(peer, "x");
    settle(*b);
    control_request release(control_kind::release);
    CHECK(b->control(h, release).value() == EBUSY);   // it came ahead, into a buffer
    CHECK_FALSE(b->close(h));
    CHECK_FALSE(b->close(listener));
}

TEST_CASE("RES-42 a backend that goes has let go of what it listened on: the port is free") {
    for (int i = 0; i < 50; ++i) {
        address where = address::loopback();
        {
            const auto b = make_io_uring(ahead(io_uring_options(4, 8)));
            begin_accepting_ahead(*b, listen_on(*b, where));
        }
        const fd next = plain_socket();
        const common::native_address native(where);
        REQUIRE(::bind(next.get(), native.data(), native.size) == 0);
    }
}

TEST_CASE("RES-43 a request that there is no memory for answers so, and its descriptor goes on") {
    if (!allocations_are_counted)
        return;
    const auto b = make_io_uring();
    connection c(*b);
    char one = 0, two = 0;
    const std::array<io_slice, 2> into = {{{&one, 1}, {&two, 1}}};
    const auto read_both = [&](card& r) {
        r.slices = into.data();
        r.slice_count = 2;
        return b->submit(r);
    };
    {
        card refused(operation_kind::read, c.ours);
        const failing_allocation none(1);
        CHECK(read_both(refused) == submitted::finished);
        CHECK(none.has_failed());
        CHECK(refused.error == ENOMEM);
    }
    // What the first one needs serves all that come after it.
    for (int i = 0; i < 10; ++i) {
        const failing_allocation none(i == 0 ? 1000 : 1);
        card r(operation_kind::read, c.ours);
        REQUIRE(read_both(r) == submitted::pending);
        CHECK(collect(*b).empty());
        send_all(c.peer, "ab");
        while (!r.is_finished()) {
            operation_list finished;
            b->wait(time_point::max(), finished);
        }
        CHECK(r.error == 0);
        CHECK(r.count == 2);
    }
}

TEST_CASE("RES-43 an accept for whose connection there is no memory answers so before the kernel takes one") {
    if (!allocations_are_counted)
        return;
    const auto b = make_io_uring();
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    const auto cancel = [&](card& o) {
        (void)b->cancel(o);
        seam::wait_for(*b, o);
    };
    card first(operation_kind::accept, listener);   // tried in vain: the next one is the kernel's at once
    REQUIRE(b->submit(first) == submitted::pending);
    cancel(first);
    constexpr std::uint32_t at_a_time = 64;   // handles that there is memory for at a time
    std::vector<handle> open;
    do
        open.push_back(*b->open(socket_type::tcp_v4));
    while (open.back().index % at_a_time != at_a_time - 1);
    {
        card refused(operation_kind::accept, listener);
        const failing_allocation none(1);
        CHECK(b->submit(refused) == submitted::finished);
        CHECK(none.has_failed());
        CHECK(refused.error == ENOMEM);
    }
    card served(operation_kind::accept, listener);
    REQUIRE(b->submit(served) == submitted::pending);
    const fd client = plain_connect(where);
    seam::wait_for(*b, served);
    CHECK(served.error == 0);
    CHECK_FALSE(b->close(served.accepted));
    for (const handle h : open)
        CHECK_FALSE(b->close(h));
    CHECK_FALSE(b->close(listener));
}
