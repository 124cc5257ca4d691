// other_descriptors_test.cpp - what else a descriptor may be but a TCP socket: pipes, whose hang-up is all that is told, and datagrams.
#include <unit/seam.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace seam;

namespace {

struct two_ends {
    fd one;
    fd other;
};

two_ends make_pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    return {fd(ends[0]), fd(ends[1])};
}

/// The descriptor takes the number's place, of which nobody but the backend knows so far.
void put_in_place(fd& taken, int number) {
    REQUIRE(::dup3(taken.get(), number, O_CLOEXEC) == number);
    taken = fd();
}

}

TEST_CASE("a pipe's hang-up alone ends a wait for bytes, which are ready as far as they were asked for") {
    const auto b = make_epoll();
    connection c(*b);
    auto ends = make_pipe();
    put_in_place(ends.one, c.native);
    card readable(operation_kind::poll, c.ours);
    readable.wanted = ready::readable;
    REQUIRE(b->submit(readable) == submitted::pending);
    CHECK(collect(*b).empty());
    ends.other = fd();
    wait_for(*b, readable);
    CHECK(readable.error == 0);
    CHECK(readable.found == ready::readable);
}

TEST_CASE("a pipe's error alone ends a wait for room") {
    const auto b = make_epoll();
    connection c(*b);
    auto ends = make_pipe();
    const std::string much(1 << 16, 'x');
    while (::write(ends.other.get(), much.data(), much.size()) > 0) {
    }
    put_in_place(ends.other, c.native);
    card writable(operation_kind::poll, c.ours);
    writable.wanted = ready::writable;
    REQUIRE(b->submit(writable) == submitted::pending);
    CHECK(collect(*b).empty());
    ends.one = fd();
    wait_for(*b, writable);
    CHECK(writable.error == 0);
    CHECK(writable.found == ready::writable);
}

TEST_CASE("a datagram that is shorter than the buffer is not taken for the last one") {
    const auto b = make_epoll();
    fd listener = plain_listener();
    const auto h = b->adopt(listener.get(), handle_kind::tcp_listener);   // no stream: what is short there says nothing
    REQUIRE(h);
    const int number = listener.release();
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0);
    fd peer(ends[0]), ours(ends[1]);
    put_in_place(ours, number);
    read_card first(*h);
    REQUIRE(b->submit(first.o) == submitted::pending);
    send_all(peer, "one");
    send_all(peer, "two");
    wait_for(*b, first.o);
    CHECK(first.text() == "one");
    read_card second(*h);
    CHECK(b->submit(second.o) == submitted::finished);
    CHECK(second.text() == "two");
    CHECK_FALSE(b->close(*h));
}
