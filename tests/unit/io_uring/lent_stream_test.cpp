// lent_stream_test.cpp - a stream of which the kernel has an operation: it is not released, and writes of many slices go whole.
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include <sys/socket.h>

using namespace seam;

TEST_CASE("a descriptor of which an operation waits is not released; when that has ended it is") {
    const auto b = make_io_uring();
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    control_request release(control_kind::release);
    for (int i = 0; i < 2; ++i) {   // before the kernel has it, and after
        CHECK(b->control(c.ours, release).value() == EBUSY);
        CHECK(collect(*b).empty());
    }
    send_all(c.peer, "x");
    seam::wait_for(*b, r.o);
    CHECK(r.text() == "x");
    CHECK_FALSE(b->control(c.ours, release));
    c.ours = handle();
    const fd ours(static_cast<int>(release.native));
    CHECK(ours.get() == c.native);
}

TEST_CASE("a write of two slices that has to wait brings the bytes of both, in order") {
    const auto b = make_io_uring();
    connection c(*b);
    const std::vector<char> as(1 << 18, 'a'), bs(1 << 18, 'b');
    const std::array<io_slice, 2> both = {{{const_cast<char*>(as.data()), as.size()}, {const_cast<char*>(bs.data()), bs.size()}}};
    std::string expected, got;
    char buffer[65536];
    for (bool waits = false; !waits;) {
        card o(operation_kind::write, c.ours);
        o.slices = both.data();
        o.slice_count = 2;
        waits = b->submit(o) == submitted::pending;
        while (!o.is_finished()) {
            CHECK(collect(*b).size() <= 1);
            const auto some = ::recv(c.peer.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            got.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(some, 0)));
        }
        REQUIRE(o.error == 0);
        CHECK(o.count > 0);
        expected.append(std::min(o.count, as.size()), 'a');
        expected.append(o.count - std::min(o.count, as.size()), 'b');
    }
    while (got.size() < expected.size()) {
        const auto some = ::recv(c.peer.get(), buffer, sizeof buffer, 0);
        REQUIRE(some > 0);
        got.append(buffer, static_cast<std::size_t>(some));
    }
    CHECK(got == expected);
}

TEST_CASE("a ring tells of news by a descriptor, not by calls") {
    const auto b = make_io_uring();
    int calls = 0;
    CHECK_FALSE(b->on_news([](void* count) noexcept { ++*static_cast<int*>(count); }, &calls));
    const native_handle news = b->wait_handle();
    REQUIRE(news != no_native_handle);
    collect(*b);
    connection c(*b);
    read_card r(c.ours);
    REQUIRE(b->submit(r.o) == submitted::pending);
    CHECK(collect(*b).empty());
    send_all(c.peer, "x");
    wait_readable(static_cast<int>(news));
    CHECK(collect(*b) == std::vector<operation*>{&r.o});
    CHECK(calls == 0);
}
