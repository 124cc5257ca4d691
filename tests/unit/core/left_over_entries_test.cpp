// left_over_entries_test.cpp - timers and entries of waits that end before their turn comes.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hand_clock.hpp>
#include <support/hook_log.hpp>
#include <support/virtual_time.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a wait whose tasks end just before its bound gives them, and its frame may go before the bound's turn comes") {
    hand_clock c;
    std::size_t ended = 0;
    run(by_hand(c), [&]() -> task<> {
        auto child = spawn([]() -> task<> { co_await yield(); });
        // In the turn in which the wait is given its answer: the bound passes, and the clock is looked at before the next turn.
        child.on_done([&c] {
            c.now += 1h;
            loop::current().call_at(c.now, [] {});
        });
        const auto waits = [&child]() -> task<std::size_t> {
            const auto result = co_await wait(child).within(1ms);
            co_return result.done.size();
        };
        ended = co_await waits();
        co_await yield();
    });
    CHECK(ended == 1);
}

TEST_CASE("a timeout_scope that outlives its run, which was given up inside it, has not expired") {
    hook_log log;
    event never;
    timeout_scope scope(1h);
    run(virtual_time().shutdown_grace(10ms).on_exception(log.hook()), [&]() -> task<> {
        spawn([&]() -> task<> {
            co_await scope.run([&never]() -> task<> {
                (void)co_await settled(never.wait());
                co_await never.wait();
            });
        });
        co_await yield();
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message.find("shutdown grace") != std::string::npos);
    CHECK_FALSE(scope.is_expired());
}
