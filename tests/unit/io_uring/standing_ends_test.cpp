// standing_ends_test.cpp - standing requests that end although an operation waits for what they bring: by the kernel, or with an error.
#include <unit/io_uring/ahead.hpp>
#include <unit/io_uring/own_listener.hpp>
#include <unit/io_uring/ring_of_process.hpp>
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>

#include <cerrno>
#include <chrono>
#include <vector>

#include <fcntl.h>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a standing request that the kernel ends by itself is made anew: the accept and the read that wait for it go on waiting") {
    const auto b = make_io_uring(ahead());
    const int ring = newest_ring();
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    card first(operation_kind::accept, listener), second(operation_kind::accept, listener);
    REQUIRE(b->submit(first) == submitted::pending);
    const fd client = plain_connect(where);
    REQUIRE(ends(*b, first));
    REQUIRE(first.error == 0);
    read_card r(first.accepted);
    REQUIRE(b->submit(r.o) == submitted::pending);
    REQUIRE(b->submit(second) == submitted::pending);
    CHECK(collect(*b).empty());
    for (int i = 0; i < 3; ++i) {
        end_all_requests(ring);
        CHECK(collect(*b).empty());
        CHECK(collect(*b).empty());
    }
    send_all(client, "x");
    REQUIRE(ends(*b, r.o));
    CHECK(r.text() == "x");
    const fd next = plain_connect(where);
    REQUIRE(ends(*b, second));
    CHECK(second.error == 0);
    CHECK_FALSE(b->close(second.accepted));
    CHECK_FALSE(b->close(first.accepted));
    CHECK_FALSE(b->close(listener));
}

TEST_CASE("accepted ahead, an accept is told what is wrong with its descriptor, and the next one has the connection") {
    const auto b = make_io_uring(ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    collect(*b);
    card refused(operation_kind::accept, listener);
    REQUIRE(b->submit(refused) == submitted::pending);
    control_request native(control_kind::native);
    REQUIRE_FALSE(b->control(listener, native));
    const int number = static_cast<int>(native.native);
    const fd socket(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    const fd no_socket(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(::dup3(no_socket.get(), number, O_CLOEXEC) == number);   // somebody else's doing, before the kernel has heard of it
    REQUIRE(ends(*b, refused));
    CHECK(refused.error == ENOTSOCK);
    REQUIRE(::dup3(socket.get(), number, O_CLOEXEC) == number);
    card next(operation_kind::accept, listener);
    const fd client = plain_connect(where);
    if (b->submit(next) == submitted::pending)
        REQUIRE(ends(*b, next));
    CHECK(next.error == 0);
    CHECK_FALSE(b->close(next.accepted));
    CHECK_FALSE(b->close(listener));
}
