// refused_calls_test.cpp - calls of sockets that a filter refuses, or the system for want of memory: each is the answer of who asked.
#include <unit/refuse_call.hpp>
#include <unit/seam.hpp>

#include <posix/attempt.hpp>
#include <support/os.hpp>

#include <cerrno>

#include <sys/syscall.h>

using namespace seam;
using namespace testing;

namespace {

#ifdef SYS_poll
constexpr unsigned poll_call = SYS_poll;
#else
constexpr unsigned poll_call = SYS_ppoll;
#endif

}

TEST_CASE("a poll that the system refuses is the answer of a wait for readiness, and of an accept that asks first") {
    const fd listener = plain_listener();
    const auto child = os::run_in_child([&listener] {
        refuse_call(poll_call, ENOMEM);
        card readable(operation_kind::poll, handle()), accepts(operation_kind::accept, handle());
        readable.wanted = ready::readable;
        if (posix::attempt(listener.get(), readable) != posix::attempted::finished || readable.error != ENOMEM)
            return 1;
        if (posix::accept_after_poll(listener.get(), accepts) != posix::attempted::finished || accepts.error != ENOMEM)
            return 2;
        return 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
}

TEST_CASE("a socket whose own address the system does not tell is not taken over") {
    const fd listener = plain_listener();
    const auto child = os::run_in_child([&listener] {
        const auto b = make_epoll();
        refuse_call(SYS_getsockname, ENOBUFS);
        return b->adopt(listener.get(), handle_kind::tcp_listener).error() == std::errc::no_buffer_space ? 0 : 1;
    });
    INFO(child.output);
    CHECK(child.code == 0);
}
