// reactor_wait_test.cpp - how the reactor on epoll waits, and what ends that.
#include <unit/seam.hpp>

#include <chrono>
#include <thread>
#include <vector>

using namespace seam;

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
