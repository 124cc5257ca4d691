// poll_nothing_test.cpp - a wait for readiness that names no direction would never end.
#include <support/catch.hpp>
#include <unit/seam.hpp>

using namespace corun;
using namespace seam;

TEST_CASE("readiness for nothing is refused at once, and takes no direction") {
    const auto b = make_epoll();
    connection c(*b);
    card none(operation_kind::poll, c.ours);
    none.wanted = 0;
    CHECK(b->submit(none) == submitted::finished);
    CHECK(none.error_code() == std::errc::operation_not_supported);
    read_card r(c.ours);
    CHECK(b->submit(r.o) == submitted::pending);
    CHECK(b->cancel(r.o));
    CHECK(collect(*b) == std::vector<operation*>{&r.o});
}
