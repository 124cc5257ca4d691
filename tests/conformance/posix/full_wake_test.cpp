// full_wake_test.cpp - a wake-up that the system refuses at first: the descriptor's counter is full.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/os_descriptor.hpp>

#include <memory>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("THR-06 a post to a loop that sleeps wakes it although its wake descriptor is full") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        os::fill_counter(os::own_descriptor({"eventfd"}));
        co_await sleep_for(1ms);   // what that was news of is over
        event posted;
        post_as_it_sleeps(calls, [&posted] { posted.set(); });
        co_await posted.wait();
        CHECK(calls.wakes == 1);
    });
}
