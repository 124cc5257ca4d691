// outlived_ends_test.cpp - two ends of one thing, of which one goes before its time: the other does not look at it any more.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/usage.hpp>
#include <support/virtual_time.hpp>

#include <memory>
#include <optional>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a started that outlives its start has nobody to tell: its call is refused") {
    run([]() -> task<> {
        std::optional<started<>> kept;
        co_await with_task_group([&kept](task_group& g) -> task<> {
            const auto left = co_await settled(g.start([&kept](started<> is_ready) -> task<> {
                kept.emplace(std::move(is_ready));
                co_return;
            }));
            CHECK(usage_of(left) == errc::no_value);
        });
        CHECK(usage_of([&kept] { (*kept)(); }) == errc::already_set);
        started<> moved = *std::move(kept);
        CHECK(usage_of([&moved] { moved(); }) == errc::already_set);
    });
}

TEST_CASE("a frame that is destroyed between its wake-up and its resumption is nothing to the semaphore any more") {
    std::optional<corun::semaphore> permits(0);
    hook_log log;
    auto engine = std::make_unique<virtual_time_backend>();
    virtual_time_backend& clock = *engine;
    run(run_options().with(std::move(engine)).shutdown_grace(10ms).on_exception(log.hook()), [&]() -> task<> {
        // Both the release and the end of the grace are due in the turn after this.
        loop::current().call_after(1ms, [&clock] { clock.jump_to(clock.now() + 1h); });
        loop::current().call_after(2ms, [&permits] { permits->release(); });
        const auto deaf = [&permits]() -> task<> {
            (void)co_await settled(permits->acquire());
            (void)co_await permits->acquire();
            FAIL_CHECK("resumed");
        };
        spawn(deaf);
        co_await yield();
    });
    CHECK(log.size() == 1);   // the task that did not stop
    CHECK(permits->available() == 0);

    // Destroyed with somebody in it, it would say so, and end the wait in that frame.
    hook_log later;
    run(run_options().on_exception(later.hook()), [&permits]() -> task<> {
        permits.reset();
        co_return;
    });
    CHECK(later.empty());
}
