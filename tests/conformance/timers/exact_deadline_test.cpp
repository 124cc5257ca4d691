// exact_deadline_test.cpp - bounds that are met to the nanosecond, in virtual time.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/virtual_time.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMO-31 a scope that is given an instant before it is entered expires then, whatever it was made with") {
    run(virtual_time(), []() -> task<> {
        timeout_scope scope(5s);
        const time_point begun = clock::now();
        scope.reschedule(begun + 10ms);
        const auto end = co_await settled(scope.run(sleep_for(1h)));
        CHECK(end_of(end) == "timed_out");
        CHECK(clock::now() - begun == 10ms);
    });
}

TEST_CASE("TMR-31 wait().within(d) answers when d has passed, to the nanosecond") {
    run(virtual_time(), []() -> task<> {
        auto sleeps = spawn([]() -> task<> { co_await sleep_for(1h); });
        const time_point begun = clock::now();
        const auto answer = co_await wait(sleeps).within(1'500us);
        CHECK(answer.pending.size() == 1);
        CHECK(clock::now() - begun == 1'500us);
        sleeps.cancel();
    });
}
