// wake_full_test.cpp - a wake-up that the system refuses at first: the descriptor's counter is full.
#include <unit/seam.hpp>

#include <support/os_descriptor.hpp>

#include <cerrno>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("THR-06 a wake whose write is refused with EAGAIN wakes all the same, again and again") {
    const auto b = make_epoll();
    const int descriptor = os::own_descriptor({"eventfd"});
    operation_list finished;
    for (int i = 0; i < 3; ++i) {
        os::fill_counter(descriptor);
        b->wait(time_point::min(), finished);   // nothing of it is news any more
        CHECK(b->wait(time_point::min(), finished) == waited::nothing);
        errno = ERANGE;   // a handler may be what wakes: it leaves this alone, too
        b->wake();
        CHECK(errno == ERANGE);
        CHECK(b->wait(b->now() + 1s, finished) == waited::news);
        b->wake();   // and the one after that
        CHECK(b->wait(b->now() + 1s, finished) == waited::news);
    }
}
