// blocking_connect_test.cpp - a connect of a socket that blocks is done when its call returns.
#include <posix/attempt.hpp>
#include <support/catch.hpp>
#include <unit/seam.hpp>

using namespace corun;
using namespace seam;

TEST_CASE("a connect that the system has made when the call returns is finished, not begun") {
    const fd listener = plain_listener();
    const address where = name_of(listener.get());
    const fd s = plain_socket();
    card o(operation_kind::connect, handle());
    o.to = &where;
    CHECK(posix::attempt(s.get(), o) == posix::attempted::finished);
    CHECK(o.is_finished());
    CHECK(o.error == 0);
    CHECK_FALSE(o.begun);
    const fd theirs(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(theirs);
    send_all(s, "x");
    char byte = 0;
    CHECK(::recv(theirs.get(), &byte, 1, 0) == 1);
}
