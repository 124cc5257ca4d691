// wake_full_test.cpp - a wake-up that the system refuses at first: the descriptor's counter is full.
#include "seam.hpp"

#include <support/os.hpp>

#include <cstdint>
#include <string>

using namespace seam;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// The descriptor by which the only loop of this process is woken.
int wake_descriptor() {
    int found = -1;
    const auto open = os::open_descriptors().value();
    for (const std::string& d : open)
        if (d.find("eventfd") != std::string::npos)
            found = std::stoi(d);
    REQUIRE(found >= 0);
    return found;
}

/// Writes what the counter takes: from then on each write answers EAGAIN.
void fill_counter(int descriptor) {
    std::uint64_t step = std::uint64_t(1) << 63;
    while (step > 0) {
        if (::write(descriptor, &step, sizeof step) < 0)
            step /= 2;
    }
    const std::uint64_t one = 1;
    REQUIRE(::write(descriptor, &one, sizeof one) == -1);
    REQUIRE(errno == EAGAIN);
}

}

TEST_CASE("THR-06 a wake whose write is refused with EAGAIN wakes all the same, again and again") {
    const auto b = make_epoll();
    const int descriptor = wake_descriptor();
    operation_list finished;
    for (int i = 0; i < 3; ++i) {
        fill_counter(descriptor);
        b->wait(time_point::min(), finished);   // nothing of it is news any more
        CHECK(b->wait(time_point::min(), finished) == waited::nothing);
        b->wake();
        CHECK(b->wait(b->now() + 1s, finished) == waited::news);
        b->wake();   // and the one after that
        CHECK(b->wait(b->now() + 1s, finished) == waited::news);
    }
}
