// no_room_test.cpp - requests for which the ring has no room while the kernel takes none: they wait, and are handed over once it does.
#include <unit/io_uring/ahead.hpp>
#include <unit/io_uring/own_listener.hpp>
#include <unit/io_uring/ring_of_process.hpp>
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>

#include <cerrno>
#include <chrono>
#include <memory>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <liburing.h>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

namespace {

thread_local bool takes_none = false;

/// While it lives, the kernel takes no request of this thread's.
struct busy_kernel {
    busy_kernel() { takes_none = true; }
    busy_kernel(const busy_kernel&) = delete;
    ~busy_kernel() { takes_none = false; }
};

}

extern "C" int io_uring_submit_and_get_events(io_uring* ring) {
    static auto* const real = reinterpret_cast<int (*)(io_uring*)>(::dlsym(RTLD_NEXT, "io_uring_submit_and_get_events"));
    return takes_none ? -EBUSY : real(ring);
}

namespace {

constexpr unsigned room = 4;

/// Reads that the backend has for the kernel: as many as the ring has room for.
struct filling_reads {
    explicit filling_reads(backend& engine) : b(engine) {
        for (unsigned i = 0; i < room; ++i) {
            connections.push_back(std::make_unique<connection>(b));
            reads.push_back(std::make_unique<read_card>(connections.back()->ours));
        }
    }
    void submit() {
        for (const auto& r : reads)
            REQUIRE(b.submit(r->o) == submitted::pending);
    }
    /// They have come through.
    void check() {
        for (unsigned i = 0; i < room; ++i) {
            send_all(connections[i]->peer, "x");
            seam::wait_for(b, reads[i]->o);
            CHECK(reads[i]->text() == "x");
        }
    }

    backend& b;
    std::vector<std::unique_ptr<connection>> connections;
    std::vector<std::unique_ptr<read_card>> reads;
};

io_uring_options accepting_ahead() {
    io_uring_options o(room, 2 * room);
    o.accepts_ahead = 4;
    return o;
}

}

TEST_CASE("wakes that the ring has no room to watch for are watched for later, and the wait before says that there is something to do") {
    const auto b = make_io_uring(io_uring_options(room, 2 * room, true));   // answers are in the queue although nobody enters the ring
    const int ring = newest_ring();
    collect(*b);
    filling_reads reads(*b);
    reads.submit();
    operation_list finished;
    {
        const busy_kernel busy;
        end_all_requests(ring);
        CHECK(b->wait(time_point::min(), finished) == waited::news);   // the request that watches has ended
        for (int i = 0; i < 3; ++i)
            CHECK(b->wait(time_point::min(), finished) == waited::news);
    }
    CHECK(finished.empty());
    collect(*b);
    collect(*b);
    b->wake();
    const time_point deadline = b->now() + 5s;
    CHECK(b->wait(deadline, finished) == waited::news);
    CHECK(b->now() < deadline);
    reads.check();
}

TEST_CASE("accepted ahead, a listener for which the ring has no room is asked for connections once it has") {
    const auto b = make_io_uring(accepting_ahead());
    collect(*b);
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    filling_reads reads(*b);
    reads.submit();
    card accepts(operation_kind::accept, listener);
    REQUIRE(b->submit(accepts) == submitted::pending);
    const fd client = plain_connect(where);
    {
        const busy_kernel busy;
        CHECK(collect(*b).empty());
        CHECK(collect(*b).empty());
    }
    REQUIRE(ends(*b, accepts));
    CHECK(accepts.error == 0);
    CHECK_FALSE(b->close(accepts.accepted));
    CHECK_FALSE(b->close(listener));
    reads.check();
}

TEST_CASE("accepted ahead, a listener that is closed while the ring has no room for its end is let go of once it has") {
    const auto b = make_io_uring(accepting_ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    begin_accepting_ahead(*b, listener);
    control_request native(control_kind::native);
    REQUIRE_FALSE(b->control(listener, native));
    const int number = static_cast<int>(native.native);
    filling_reads reads(*b);
    reads.submit();
    {
        const busy_kernel busy;
        CHECK_FALSE(b->close(listener));
        CHECK(::fcntl(number, F_GETFD) != -1);
    }
    const time_point deadline = b->now() + 5s;
    while (::fcntl(number, F_GETFD) != -1 && b->now() < deadline)
        collect(*b, b->now() + 10ms);
    CHECK(::fcntl(number, F_GETFD) == -1);
    reads.check();
}
