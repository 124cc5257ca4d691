// reactor_test.cpp - the reactor on epoll, through the seam and without a loop: what becomes of cards and handles.
#include "seam.hpp"

#include <chrono>
#include <thread>

#include <fcntl.h>

using namespace seam;

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
    readable.value = ready::readable;
    REQUIRE(b->submit(first.o) == submitted::pending);
    CHECK(b->submit(second.o) == submitted::finished);
    CHECK(second.o.error == EBUSY);
    CHECK(b->submit(readable) == submitted::finished);
    CHECK(readable.error == EBUSY);
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

TEST_CASE("close with cards pending ends them with operation_canceled and closes the descriptor at once") {
    const auto b = make_epoll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    parked_write full(*b, c.ours);
    const int native = c.native;
    CHECK_FALSE(c.close());
    CHECK(::fcntl(native, F_GETFD) == -1);
    CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&r.o, full.o.get()});
    CHECK(r.o.error == ECANCELED);
    CHECK(full.o->error == ECANCELED);
    CHECK(collect(*b).empty());
}

TEST_CASE("a handle that was closed is a bad descriptor to every function, also when its number is in use again") {
    const auto b = make_epoll();
    connection c(*b);
    const handle stale = c.ours;
    auto ends = plain_pair();
    REQUIRE_FALSE(c.close());
    connection successor(*b, std::move(ends), c.native);
    CHECK(successor.native == c.native);
    CHECK(successor.ours.index == stale.index);

    read_card r(stale);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(r.o.error == EBADF);
    control_request name(control_kind::local_address);
    address a;
    name.where = &a;
    CHECK(b->control(stale, name) == std::errc::bad_file_descriptor);
    CHECK(b->close(stale) == std::errc::bad_file_descriptor);
    read_card none{handle()};
    CHECK(b->submit(none.o) == submitted::finished);
    CHECK(none.o.error == EBADF);
}

TEST_CASE("a number that is used again brings the old waiter nothing") {
    const auto b = make_epoll();
    for (int i = 0; i < 1000; ++i) {
        connection old(*b);
        read_card waiter(old.ours);
        REQUIRE(b->submit(waiter.o) == submitted::pending);
        send_all(old.peer, "for the old one");   // an event that is not fetched before the close
        auto ends = plain_pair();
        REQUIRE_FALSE(old.close());

        connection successor(*b, std::move(ends), old.native);
        REQUIRE(successor.native == old.native);
        read_card reader(successor.ours);
        REQUIRE(b->submit(reader.o) == submitted::pending);
        send_all(successor.peer, "new");
        wait_for(*b, reader.o);
        REQUIRE(waiter.o.error == ECANCELED);
        REQUIRE(waiter.buffer[0] == '\0');
        REQUIRE(reader.text() == "new");
    }
}

TEST_CASE("a duplicate that keeps a closed descriptor's file alive reports nothing") {
    const auto b = make_epoll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    const fd duplicate(::fcntl(c.native, F_DUPFD_CLOEXEC, 0));
    REQUIRE_FALSE(c.close());
    CHECK(collect(*b) == std::vector<operation*>{&r.o});
    send_all(c.peer, "x");
    wait_readable(duplicate.get());
    CHECK(b->wait_handle() >= 0);
    pollfd p{static_cast<int>(b->wait_handle()), POLLIN, 0};
    CHECK(::poll(&p, 1, 0) == 0);
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
    a.argument = &peer;
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
        o.argument = &where;
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
    o.argument = &where;
    CHECK(b->submit(o) == submitted::finished);
    CHECK(o.error_code() == std::errc::already_connected);
}

TEST_CASE("poll answers the direction that is ready, and waits for one that is not") {
    const auto b = make_epoll();
    connection c(*b);
    card any(operation_kind::poll, c.ours);
    any.value = ready::readable | ready::writable;
    CHECK(b->submit(any) == submitted::finished);
    CHECK(any.value == ready::writable);

    card readable(operation_kind::poll, c.ours);
    readable.value = ready::readable;
    REQUIRE(b->submit(readable) == submitted::pending);
    send_all(c.peer, "x");
    wait_for(*b, readable);
    CHECK(readable.error == 0);
    CHECK(readable.value == ready::readable);
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
    both.value = ready::readable | ready::writable;
    REQUIRE(b->submit(both) == submitted::pending);
    read_card r(c.ours);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(r.o.error == EBUSY);
    send_all(c.peer, "x");
    wait_for(*b, both);
    CHECK((both.value & ready::readable) != 0);
    read_card again(c.ours);
    CHECK(b->submit(again.o) == submitted::finished);
    CHECK(again.text() == "x");
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
    CHECK(refused.error == EBUSY);
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

TEST_CASE("adopt refuses what is no such thing, and leaves flags alone") {
    const auto b = make_epoll();
    CHECK(b->adopt(-1, handle_kind::tcp_stream).error() == std::errc::bad_file_descriptor);
    int closed = -1;
    {
        const fd s = plain_socket();
        closed = s.get();
    }
    CHECK(b->adopt(closed, handle_kind::tcp_stream).error() == std::errc::bad_file_descriptor);
    const fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(b->adopt(file.get(), handle_kind::tcp_stream).error() == std::errc::not_a_socket);
    const fd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    CHECK(b->adopt(datagrams.get(), handle_kind::tcp_stream).error() == std::errc::wrong_protocol_type);
    const fd listener = plain_listener();
    CHECK(b->adopt(listener.get(), handle_kind::tcp_stream).error() == std::errc::wrong_protocol_type);

    auto [one, other] = plain_pair();
    CHECK(b->adopt(one.get(), handle_kind::tcp_listener).error() == std::errc::wrong_protocol_type);
    const int flags = ::fcntl(one.get(), F_GETFL);
    const auto h = b->adopt(one.get(), handle_kind::tcp_stream);
    REQUIRE(h);
    CHECK(::fcntl(one.get(), F_GETFL) == flags);

    // A blocking socket is never blocked on; and release gives it back, once nothing is pending.
    read_card r(*h);
    REQUIRE(b->submit(r.o) == submitted::pending);
    control_request release(control_kind::release);
    CHECK(b->control(*h, release) == std::errc::device_or_resource_busy);
    REQUIRE(b->cancel(r.o));
    collect(*b);
    CHECK_FALSE(b->control(*h, release));
    CHECK(release.native == one.get());
    CHECK(::fcntl(one.get(), F_GETFL) == flags);
    CHECK(b->close(*h) == std::errc::bad_file_descriptor);
}

TEST_CASE("a blocking listener that was adopted is asked first") {
    const auto b = make_epoll();
    fd listener = plain_listener();
    const address where = name_of(listener.get());
    const auto h = b->adopt(listener.get(), handle_kind::tcp_listener);
    REQUIRE(h);
    (void)listener.release();
    card a(operation_kind::accept, *h);
    REQUIRE(b->submit(a) == submitted::pending);   // accept4 would block here for ever
    const fd client = plain_connect(where);
    wait_for(*b, a);
    CHECK(a.error == 0);
    CHECK_FALSE(b->close(a.accepted));
    CHECK_FALSE(b->close(*h));
}

TEST_CASE("options are set and read back") {
    const auto b = make_epoll();
    connection c(*b);
    const auto o = GENERATE(socket_option::nodelay, socket_option::keep_alive, socket_option::reuse_address, socket_option::linger_zero);
    control_request set(control_kind::set_option), get(control_kind::get_option);
    set.option = get.option = o;
    for (const int value : {1, 0, 1}) {
        set.value = value;
        CHECK_FALSE(b->control(c.ours, set));
        CHECK_FALSE(b->control(c.ours, get));
        CHECK(get.value == value);
    }
    set.option = get.option = socket_option::receive_buffer;
    set.value = 32768;
    CHECK_FALSE(b->control(c.ours, set));
    CHECK_FALSE(b->control(c.ours, get));
    CHECK(get.value >= 32768);
}

TEST_CASE("an unknown kind is operation_not_supported") {
    const auto b = make_epoll();
    connection c(*b);
    card o(static_cast<operation_kind>(200), c.ours);
    CHECK(b->submit(o) == submitted::finished);
    CHECK(o.error_code() == std::errc::operation_not_supported);
    b->perform(o);
    CHECK(o.error_code() == std::errc::operation_not_supported);
}

TEST_CASE("wake before a wait makes it return, once, from any thread") {
    const auto b = make_epoll();
    operation_list finished;
    std::thread([&] {
        for (int i = 0; i < 3; ++i)
            b->wake();
    }).join();
    CHECK(b->wait(time_point::max(), finished) == waited::news);
    CHECK(b->wait(time_point::min(), finished) == waited::nothing);
    b->wake();
    CHECK(b->wait(time_point::max(), finished) == waited::news);
    CHECK(finished.empty());
}

TEST_CASE("wait comes back at its deadline, not before") {
    const auto b = make_epoll();
    operation_list finished;
    for (const auto length : {std::chrono::microseconds(50), std::chrono::microseconds(1500)}) {
        const time_point deadline = b->now() + length;
        while (b->now() < deadline)
            CHECK(b->wait(deadline, finished) == waited::nothing);
    }
    CHECK(b->wait(b->now(), finished) == waited::nothing);
}

TEST_CASE("the wait handle is readable when wait() has news, and block() returns then") {
    const auto b = make_epoll();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    collect(*b);
    pollfd p{static_cast<int>(b->wait_handle()), POLLIN, 0};
    CHECK(::poll(&p, 1, 0) == 0);
    b->block(b->now());   // at its deadline
    send_all(c.peer, "x");
    b->block(time_point::max());
    CHECK(::poll(&p, 1, 0) == 1);
    CHECK(collect(*b) == std::vector<operation*>{&r.o});
    b->wake();
    b->block(time_point::max());
    collect(*b);
    CHECK(::poll(&p, 1, 0) == 0);
    read_card next(c.ours);
    REQUIRE(b->submit(next.o) == submitted::pending);
    REQUIRE(b->cancel(next.o));
    b->block(time_point::max());   // an answer that is not in the kernel
    collect(*b);
}

TEST_CASE("what is still open goes with the backend") {
    auto b = make_epoll();
    const auto h = b->open(socket_type::tcp_v6);
    REQUIRE(h);
    control_request native(control_kind::native);
    REQUIRE_FALSE(b->control(*h, native));
    b.reset();
    CHECK(::fcntl(static_cast<int>(native.native), F_GETFD) == -1);
}
