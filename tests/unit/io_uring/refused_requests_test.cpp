// refused_requests_test.cpp - what a ring is refused after it was made, by the kernel or for want of memory: the plain way is gone
// instead, or the operation is told.
#include <unit/io_uring/ahead.hpp>
#include <unit/io_uring/own_listener.hpp>
#include <unit/io_uring/ring_of_process.hpp>
#include <unit/no_descriptors.hpp>
#include <unit/refuse_call.hpp>
#include <unit/seam.hpp>

#include <corun/io_uring.hpp>
#include <support/allocations.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A stream that the backend accepted itself.
struct accepted_stream {
    explicit accepted_stream(backend& engine) : b(engine) {
        address where = address::loopback();
        const handle listener = listen_on(b, where);
        peer = plain_connect(where);
        card o(operation_kind::accept, listener);
        if (b.submit(o) == submitted::pending)
            seam::wait_for(b, o);
        REQUIRE(o.error == 0);
        ours = o.accepted;
        CHECK_FALSE(b.close(listener));
    }
    ~accepted_stream() {
        if (ours)
            (void)b.close(ours);
    }

    int number() {
        control_request native(control_kind::native);
        REQUIRE_FALSE(b.control(ours, native));
        return static_cast<int>(native.native);
    }

    /// True if bytes come before they are asked for, once a read has had to wait: then the stream can't be released. Ends it else.
    bool receives_ahead() {
        read_card waits(ours);
        REQUIRE(b.submit(waits.o) == submitted::pending);
        CHECK(collect(b).empty());
        (void)b.cancel(waits.o);
        while (collect(b, time_point::max()).empty()) {
        }
        send_all(peer, "x");
        settle(b);
        control_request release(control_kind::release);
        if (b.control(ours, release))
            return true;
        ours = handle();
        const fd released(static_cast<int>(release.native));
        return false;
    }

    backend& b;
    fd peer;
    handle ours;
};

/// Accepts, waiting, and says whose connection it was.
address accept_one(backend& b, handle listener) {
    address peer;
    card o(operation_kind::accept, listener);
    o.peer = &peer;
    if (b.submit(o) == submitted::pending)
        seam::wait_for(b, o);
    REQUIRE(o.error == 0);
    CHECK_FALSE(b.close(o.accepted));
    return peer;
}

/// One wait that does not block, in which no memory is to be had. True if some was asked for.
bool wait_without_memory(backend& b) {
    operation_list finished;
    const failing_allocation none(1);
    b.wait(time_point::min(), finished);
    return none.has_failed();
}

/// What a child comes to whose loop can't go on.
void check_fatal(const std::function<void()>& f, std::string_view text) {
    const auto child = os::run_in_child([&f] {
        ::alarm(5);
        f();
        return 0;
    });
    INFO(child.output);
    CHECK(child.signal == SIGABRT);
    CHECK(child.output.find(text) != std::string::npos);
}

}

// ThreadSanitizer's definition stays.
#if !defined(CORUN_TEST_THREAD_SANITIZED)
namespace {
thread_local bool no_aligned_memory = false;
}

#if defined(CORUN_TEST_SANITIZED)
// AddressSanitizer's own: what the C library gives, its free() would not know.
extern "C" void* __interceptor_aligned_alloc(std::size_t, std::size_t);
#endif

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    if (no_aligned_memory)
        return nullptr;
#if defined(CORUN_TEST_SANITIZED)
    return __interceptor_aligned_alloc(alignment, size);
#else
    return reinterpret_cast<void* (*)(std::size_t, std::size_t)>(::dlsym(RTLD_NEXT, "aligned_alloc"))(alignment, size);
#endif
}

TEST_CASE("received ahead, without memory for the kernel's buffers a stream is read as without them") {
    for (const bool has_none : {false, true}) {
        const auto b = make_io_uring(ahead());
        no_aligned_memory = has_none;
        collect(*b);
        no_aligned_memory = false;
        accepted_stream s(*b);
        CHECK(s.receives_ahead() == !has_none);
    }
}
#endif

TEST_CASE("received ahead, where the kernel takes no buffers a stream is read as without them") {
    const auto child = os::run_in_child([] {
        const auto b = make_io_uring(ahead());
        refuse_call(SYS_io_uring_register, IORING_REGISTER_PBUF_RING, EINVAL);
        accepted_stream s(*b);
        return s.receives_ahead() ? 1 : 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
}

TEST_CASE("received ahead, a socket that takes no standing request is read as without one") {
    const auto b = make_io_uring(ahead());
    accepted_stream s(*b);
    read_card refused(s.ours);
    REQUIRE(b->submit(refused.o) == submitted::pending);   // tried in vain, and not the kernel's yet
    const int number = s.number();
    const fd connection(::dup(number));
    const fd other(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));   // not connected, it is never read
    REQUIRE(::dup3(other.get(), number, O_CLOEXEC) == number);
    seam::wait_for(*b, refused.o);
    CHECK(refused.o.error == EINVAL);
    REQUIRE(::dup3(connection.get(), number, O_CLOEXEC) == number);
    CHECK_FALSE(s.receives_ahead());
}

TEST_CASE("without a descriptor for it a ring has no handle to wait on, says so, and leaves nothing open; its own wait goes on") {
    for (const bool has_descriptor : {false, true}) {
        const auto child = os::run_in_child([has_descriptor] {
            const auto b = make_io_uring();
            const auto before = os::open_descriptors();
            if (has_descriptor)
                refuse_call(SYS_io_uring_register, IORING_REGISTER_EVENTFD, EBUSY);
            else
                refuse_call(SYS_eventfd2, EMFILE);
            if (b->wait_handle() != no_native_handle)
                return 1;
            b->block(time_point::max());   // there is nothing that it could wait for
            if (os::open_descriptors() != before)
                return 2;
            b->wake();
            operation_list finished;
            return b->wait(b->now() + 5s, finished) == waited::news ? 0 : 3;
        });
        INFO(child.output);
        CHECK(child.code == 0);
    }
}

TEST_CASE("a handle that was closed is a bad descriptor to all that a ring is asked, also when its number is in use again") {
    for (const auto& options : {io_uring_options(), ahead()}) {
        const auto b = make_io_uring(options);
        connection c(*b);
        const handle stale = c.ours;
        auto ends = plain_pair();
        REQUIRE_FALSE(c.close());
        const connection successor(*b, std::move(ends), c.native);
        CHECK(successor.ours.index == stale.index);
        read_card r(stale);
        CHECK(b->submit(r.o) == submitted::finished);
        CHECK(r.o.error == EBADF);
        address a;
        control_request name(control_kind::local_address);
        name.where = &a;
        CHECK(b->control(stale, name) == std::errc::bad_file_descriptor);
        CHECK(b->close(stale) == std::errc::bad_file_descriptor);
    }
}

TEST_CASE("accepted ahead, an accept without memory for its connection's record answers so, and the connection is the next one's") {
    if (!allocations_are_counted)
        return;
    const auto b = make_io_uring(ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    begin_accepting_ahead(*b, listener);
    handle last;
    for (bool has_room = true; has_room;) {   // until every record that there is stands for a socket
        const failing_allocation next(1);
        const auto opened = b->open(socket_type::tcp_v4);
        has_room = opened.has_value();
        if (has_room)
            last = *opened;
    }
    card refused(operation_kind::accept, listener);
    {
        const failing_allocation record(1);
        CHECK(b->submit(refused) == submitted::finished);
    }
    CHECK(refused.error == ENOMEM);
    CHECK_FALSE(b->close(last));
    const fd client = plain_connect(where);
    CHECK(accept_one(*b, listener) == name_of(client.get()));
}

TEST_CASE("accepted ahead, a connection that there is no memory to keep is closed, and the listener goes on") {
    if (!allocations_are_counted)
        return;
    const auto b = make_io_uring(ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    begin_accepting_ahead(*b, listener);
    const fd lost = plain_connect(where);
    CHECK(wait_without_memory(*b));
    char byte = 0;
    CHECK(::recv(lost.get(), &byte, 1, 0) <= 0);
    const fd kept = plain_connect(where);
    CHECK(accept_one(*b, listener) == name_of(kept.get()));
}

TEST_CASE("accepted ahead, what does not listen is asked as without, and without memory for that it answers so") {
    if (!allocations_are_counted)
        return;
    const auto b = make_io_uring(ahead());
    const auto made = b->open(socket_type::tcp_v4);
    REQUIRE(made);
    card o(operation_kind::accept, *made);
    REQUIRE(b->submit(o) == submitted::pending);
    CHECK(wait_without_memory(*b));
    REQUIRE(o.is_finished());
    CHECK(o.error == ENOMEM);
    card again(operation_kind::accept, *made);
    if (b->submit(again) == submitted::pending)
        seam::wait_for(*b, again);
    CHECK(again.error == EINVAL);
}

// Else each look at the system would need a descriptor.
#if !defined(CORUN_TEST_NEEDS_DESCRIPTORS)
TEST_CASE("accepted ahead, out of descriptors an accept is told so, and the next one has its connection") {
    const auto b = make_io_uring(ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    collect(*b);
    card refused(operation_kind::accept, listener);
    {
        const no_descriptors none;
        REQUIRE(b->submit(refused) == submitted::pending);
        seam::wait_for(*b, refused);
    }
    CHECK(refused.error == EMFILE);
    const fd client = plain_connect(where);
    CHECK(accept_one(*b, listener) == name_of(client.get()));
}
#endif

TEST_CASE("accepted ahead, who has gone and can't be named any more is passed over for the next one, and leaves nothing open") {
    const auto b = make_io_uring(ahead());
    address where = address::loopback();
    const handle listener = listen_on(*b, where);
    begin_accepting_ahead(*b, listener);
    const auto before = os::open_descriptors().value().size();
    fd gone = plain_connect(where);
    settle(*b);
    close_with_reset(gone);
    const fd next = plain_connect(where);
    settle(*b);
    CHECK(accept_one(*b, listener) == name_of(next.get()));
    CHECK(os::open_descriptors().value().size() == before + 1);   // the next one's own end
}

TEST_CASE("a wake descriptor that was closed behind the ring's back ends the program when it is to be watched anew, with a message") {
    check_fatal(
        [] {
            const auto b = make_io_uring();
            collect(*b);
            const int ring = newest_ring();
            ::close(newest_descriptor("[eventfd]"));
            end_all_requests(ring);
            for (int i = 0; i < 3; ++i)
                collect(*b);
        },
        "descriptor that wakes a loop");
}

TEST_CASE("a ring that is used on another thread than the one where it began ends the program, with a message") {
    check_fatal(
        [] {
            const auto b = make_io_uring();
            collect(*b);
            std::thread([&b] { collect(*b, b->now() + 1s); }).join();
        },
        "moved to another thread");
}
