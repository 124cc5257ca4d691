// timeout_forms_test.cpp - the forms in which a bound is written.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/scenes.hpp>

#include <memory>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> sleeps(duration d) { co_await sleep_for(d); }

}

TEST_CASE("TMO-25 timeout(), timeout_at(), a scope and settled() take a callable, which is called within the bound") {
    run([]() -> task<> {
        const auto seven = [] { return gives(7, 1); };
        const int bounded = co_await timeout(1h, seven);
        const int until_then = co_await timeout_at(no_deadline, seven);
        timeout_scope scope(1h);
        const int scoped = co_await scope.run(seven);
        const auto settles = co_await settled(seven);
        CHECK(bounded + until_then + scoped == 21);
        CHECK(settles.has_value());

        // It is kept until its task has ended.
        auto owner = std::make_unique<int>(8);
        auto keeps = [owner = std::move(owner)]() -> task<int> {
            co_await yield();
            co_return *owner;
        };
        const int kept = co_await timeout(1h, std::move(keeps));
        CHECK(kept == 8);

        const auto sleeps_long = [] { return sleeps(1h); };
        const auto expired = co_await settled(timeout(0s, sleeps_long));
        CHECK(end_of(expired) == "timed_out");
    });
}

TEST_CASE("TMO-26 wait_for(awaitable, d) is timeout(d, awaitable)") {
    run([]() -> task<> {
        const int value = co_await wait_for(gives(7, 1), 1h);
        CHECK(value == 7);
        const auto expired = co_await settled(wait_for(sleep_for(1h), 0s));
        CHECK(end_of(expired) == "timed_out");
        const int called = co_await wait_for([] { return gives(8, 1); }, 1h);
        CHECK(called == 8);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}
