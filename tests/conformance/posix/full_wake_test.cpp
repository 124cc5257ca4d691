// full_wake_test.cpp - a wake-up that the system refuses at first: the descriptor's counter is full.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

using namespace corun;
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

TEST_CASE("THR-06 a post to a loop that sleeps wakes it although its wake descriptor is full") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        fill_counter(wake_descriptor());
        co_await sleep_for(1ms);   // what that was news of is over
        event posted;
        bool have_posted = false;
        calls.before_endless_wait = [&, ref = loop::current().ref()] {
            if (!std::exchange(have_posted, true))
                std::thread([&] { ref.post([&] { posted.set(); }); }).join();
        };
        co_await posted.wait();
        CHECK(calls.wakes == 1);
    });
}
