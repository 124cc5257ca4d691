// reactor_test.cpp - the reactor on epoll, through the seam and without a loop: what becomes of cards.
#include <unit/cards_without_handle.hpp>
#include <unit/seam.hpp>

#include <fcntl.h>

using namespace seam;
using namespace testing;

TEST_CASE("a read that finds bytes is finished by submit") {
    const auto b = make_epoll();
    connection c(*b);
    send_all(c.peer, "hello");
    wait_readable(c.native);
    read_card r(c.ours);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(r.text() == "hello");
    CHECK(r.o.error == 0);
    CHECK(collect(*b).empty());
}

TEST_CASE("a read that would block is parked, and appears once") {
    const auto b = make_epoll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    CHECK(collect(*b).empty());
    CHECK(r.o.is_pending());
    send_all(c.peer, "hello");
    CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&r.o});
    CHECK(r.text() == "hello");
    CHECK(collect(*b).empty());
}

TEST_CASE("a second reader is refused, a writer beside it is not, and the first goes on") {
    const auto b = make_epoll();
    connection c(*b);
    read_card first(c.ours), second(c.ours);
    card readable(operation_kind::poll, c.ours);
    readable.wanted = ready::readable;
    REQUIRE(b->submit(first.o) == submitted::pending);
    CHECK(b->submit(second.o) == submitted::finished);
    CHECK(second.o.error == operation::busy);
    CHECK(b->submit(readable) == submitted::finished);
    CHECK(readable.error == operation::busy);
    write_card w(c.ours, "x");
    CHECK(b->submit(w.o) == submitted::finished);
    CHECK(w.o.error == 0);
    send_all(c.peer, "for the first");
    wait_for(*b, first.o);
    CHECK(first.text() == "for the first");
}

TEST_CASE("cancel takes a parked card back without an effect") {
    const auto b = make_epoll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    CHECK(b->cancel(r.o));
    CHECK(r.o.is_finished());
    CHECK(r.o.error == ECANCELED);
    send_all(c.peer, "kept");
    wait_readable(c.native);
    // What finished outside wait() keeps the next one from blocking.
    CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&r.o});
    read_card again(c.ours);
    CHECK(b->submit(again.o) == submitted::finished);
    CHECK(again.text() == "kept");
}

TEST_CASE("a listener accepts what waits, and what comes") {
    const auto b = make_epoll();
    const auto l = b->open(socket_type::tcp_v4);
    REQUIRE(l);
    address where = address::loopback();
    control_request bind(control_kind::bind), listen(control_kind::listen), name(control_kind::local_address);
    bind.where = name.where = &where;
    REQUIRE_FALSE(b->control(*l, bind));
    REQUIRE_FALSE(b->control(*l, listen));
    REQUIRE_FALSE(b->control(*l, name));
    CHECK(where.port() != 0);

    address peer;
    card a(operation_kind::accept, *l);
    a.peer = &peer;
    REQUIRE(b->submit(a) == submitted::pending);
    const fd client = plain_connect(where);
    wait_for(*b, a);
    REQUIRE(a.error == 0);
    CHECK(peer == name_of(client.get()));

    const fd second = plain_connect(where);
    card now(operation_kind::accept, *l);
    wait_readable([&] {
        control_request native(control_kind::native);
        REQUIRE_FALSE(b->control(*l, native));
        return static_cast<int>(native.native);
    }());
    // The edge of the second connection has not been fetched; one wait brings it.
    const submitted s = b->submit(now);
    if (s == submitted::pending)
        wait_for(*b, now);
    REQUIRE(now.error == 0);

    control_request native(control_kind::native);
    REQUIRE_FALSE(b->control(now.accepted, native));
    CHECK((::fcntl(static_cast<int>(native.native), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(static_cast<int>(native.native), F_GETFL) & O_NONBLOCK) != 0);
    CHECK_FALSE(b->close(a.accepted));
    CHECK_FALSE(b->close(now.accepted));
    CHECK_FALSE(b->close(*l));
}

TEST_CASE("connect answers success, and a refusal once") {
    const auto b = make_epoll();
    fd listener = plain_listener();
    address where = name_of(listener.get());
    for (const bool refused : {false, true}) {
        if (refused)
            listener = fd();
        const auto h = b->open(socket_type::tcp_v4);
        REQUIRE(h);
        card o(operation_kind::connect, *h);
        o.to = &where;
        if (b->submit(o) == submitted::pending)
            wait_for(*b, o);
        CHECK(o.error == (refused ? ECONNREFUSED : 0));
        control_request remote(control_kind::remote_address);
        address peer;
        remote.where = &peer;
        CHECK(static_cast<bool>(b->control(*h, remote)) == refused);
        CHECK_FALSE(b->close(*h));
    }
}

TEST_CASE("connect on a connected handle is already_connected") {
    const auto b = make_epoll();
    connection c(*b);
    address where = name_of(c.peer.get());
    card o(operation_kind::connect, c.ours);
    o.to = &where;
    CHECK(b->submit(o) == submitted::finished);
    CHECK(o.error_code() == std::errc::already_connected);
}

TEST_CASE("poll answers the direction that is ready, and waits for one that is not") {
    const auto b = make_epoll();
    connection c(*b);
    card any(operation_kind::poll, c.ours);
    any.wanted = ready::readable | ready::writable;
    CHECK(b->submit(any) == submitted::finished);
    CHECK(any.found == ready::writable);

    card readable(operation_kind::poll, c.ours);
    readable.wanted = ready::readable;
    REQUIRE(b->submit(readable) == submitted::pending);
    send_all(c.peer, "x");
    wait_for(*b, readable);
    CHECK(readable.error == 0);
    CHECK(readable.found == ready::readable);
    read_card r(c.ours);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(r.text() == "x");
}

TEST_CASE("a poll of both directions holds both slots, and gives both back") {
    const auto b = make_epoll();
    connection c(*b);
    parked_write full(*b, c.ours);
    REQUIRE(b->cancel(*full.o));   // neither direction is ready now
    collect(*b);
    card both(operation_kind::poll, c.ours);
    both.wanted = ready::readable | ready::writable;
    REQUIRE(b->submit(both) == submitted::pending);
    read_card r(c.ours);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(r.o.error == operation::busy);
    send_all(c.peer, "x");
    wait_for(*b, both);
    CHECK((both.found & ready::readable) != 0);
    read_card again(c.ours);
    CHECK(b->submit(again.o) == submitted::finished);
    CHECK(again.text() == "x");
    write_card w(c.ours, "y");
    if (b->submit(w.o) == submitted::pending)
        CHECK(b->cancel(w.o));
    CHECK(w.o.error != operation::busy);
}

TEST_CASE("an accept that fails, or has to wait, takes up no handle") {
    const auto b = make_epoll();
    const auto not_listening = b->open(socket_type::tcp_v4);
    fd plain = plain_listener();
    const auto listener = b->adopt(plain.release(), handle_kind::tcp_listener);
    REQUIRE(not_listening);
    REQUIRE(listener);
    const auto next_index = [&] {
        const auto h = b->open(socket_type::tcp_v4);
        REQUIRE(h);
        REQUIRE_FALSE(b->close(*h));
        return h->index;
    };
    const std::uint32_t before = next_index();
    for (int i = 0; i < 10; ++i) {
        card fails(operation_kind::accept, *not_listening), waits(operation_kind::accept, *listener);
        REQUIRE(b->submit(fails) == submitted::finished);
        CHECK(fails.error == EINVAL);
        REQUIRE(b->submit(waits) == submitted::pending);
        REQUIRE(b->cancel(waits));
        collect(*b);
    }
    CHECK(next_index() == before);
    CHECK_FALSE(b->close(*listener));
    CHECK_FALSE(b->close(*not_listening));
}

TEST_CASE("shutdown ends the sending side only, and is refused beside a pending write") {
    const auto b = make_epoll();
    connection c(*b);
    card end(operation_kind::shutdown, c.ours);
    CHECK(b->submit(end) == submitted::finished);
    CHECK(end.error == 0);
    char byte;
    CHECK(::recv(c.peer.get(), &byte, 1, 0) == 0);
    send_all(c.peer, "still here");
    read_card r(c.ours);
    if (b->submit(r.o) == submitted::pending)
        wait_for(*b, r.o);
    CHECK(r.text() == "still here");

    connection other(*b);
    parked_write full(*b, other.ours);
    card refused(operation_kind::shutdown, other.ours);
    CHECK(b->submit(refused) == submitted::finished);
    CHECK(refused.error == operation::busy);
    REQUIRE(b->cancel(*full.o));
    collect(*b);
}

TEST_CASE("a reset is reported again by each later read, after the bytes that came before it") {
    const auto b = make_epoll();
    connection c(*b);
    read_card parked(c.ours);
    REQUIRE(b->submit(parked.o) == submitted::pending);   // the poller knows the descriptor
    send_all(c.peer, "last words");
    close_with_reset(c.peer);
    wait_for(*b, parked.o);
    // The kernel may have dropped the bytes with the reset; what it has, comes first.
    if (parked.o.error == 0)
        CHECK(parked.text() == "last words");
    for (int i = 0; i < 3; ++i) {
        read_card r(c.ours);
        REQUIRE(b->submit(r.o) == submitted::finished);
        CHECK(r.o.error_code() == std::errc::connection_reset);
    }
}

TEST_CASE("writing to a peer that is gone is an error, not a signal") {
    const auto b = make_epoll();
    connection c(*b);
    c.peer = fd();
    wait_readable(c.native);
    int error = 0;
    for (int i = 0; i < 100 && error == 0; ++i) {
        write_card w(c.ours, "x");
        REQUIRE(b->submit(w.o) == submitted::finished);
        error = w.o.error;
    }
    CHECK((error == EPIPE || error == ECONNRESET));
}

TEST_CASE("more slices than the kernel takes at once are written in part, and empty ones among them do no harm") {
    const auto b = make_epoll();
    connection c(*b);
    std::vector<io_slice> slices(3000);
    std::string text(3000, 'a');
    for (std::size_t i = 0; i < slices.size(); ++i)
        slices[i] = {&text[i], i % 3 == 1 ? 0u : 1u};
    card w(operation_kind::write, c.ours);
    w.slices = slices.data();
    w.slice_count = 3000;
    REQUIRE(b->submit(w) == submitted::finished);
    CHECK(w.error == 0);
    CHECK(w.count >= 2 * IOV_MAX / 3 - 1);
    std::string got(3000, '\0');
    CHECK(::recv(c.peer.get(), got.data(), w.count, MSG_WAITALL) == static_cast<ssize_t>(w.count));
}

TEST_CASE("a scattered read fills its slices in order") {
    const auto b = make_epoll();
    connection c(*b);
    send_all(c.peer, "abcdef");
    wait_readable(c.native);
    std::string one(2, '\0'), other(10, '\0');
    const std::array<io_slice, 3> slices{io_slice{one.data(), 2}, io_slice{nullptr, 0}, io_slice{other.data(), 10}};
    card r(operation_kind::read, c.ours);
    r.slices = slices.data();
    r.slice_count = 3;
    REQUIRE(b->submit(r) == submitted::finished);
    CHECK(r.count == 6);
    CHECK(one == "ab");
    CHECK(other.substr(0, 4) == "cdef");
}

TEST_CASE("cards without a handle pass the reactor") {
    const auto b = make_epoll();
    connection c(*b);   // so that there is a table
    check_cards_without_handle(*b);
}

TEST_CASE("an unknown kind is operation_not_supported") {
    const auto b = make_epoll();
    connection c(*b);
    card o(static_cast<operation_kind>(200), c.ours);
    CHECK(b->submit(o) == submitted::finished);
    CHECK(o.error_code() == std::errc::operation_not_supported);
    o.error = 0;
    b->perform(o);   // which no card of this backend comes to
    CHECK(o.error_code() == std::errc::operation_not_supported);
}
