// reactor_handles_test.cpp - the handles of the reactor on epoll: taken over, used, closed, and numbers that are used again.
#include <unit/seam.hpp>

#include <fcntl.h>

using namespace seam;

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

TEST_CASE("what is still open goes with the backend") {
    auto b = make_epoll();
    const auto h = b->open(socket_type::tcp_v6);
    REQUIRE(h);
    control_request native(control_kind::native);
    REQUIRE_FALSE(b->control(*h, native));
    b.reset();
    CHECK(::fcntl(static_cast<int>(native.native), F_GETFD) == -1);
}
