// cancel_cleanup_test.cpp - what a task may do after a request, and requests that reach many scopes at once.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/stack_meter.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("CAN-14 clean-up after a request may wait in every way; the same request does not disturb it") {
    trace t;
    run([&]() -> task<> {
        event set_later;
        mutex lock_later;
        const auto seven = []() -> task<int> {
            co_await yield();
            co_return 7;
        };
        const auto cleans_up = [&]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            t.note(end_of(left));
            co_await yield();
            co_await sleep_for(1ms);
            co_await set_later.wait();
            {
                const auto lock = co_await lock_later.lock();
            }
            auto child = spawn(seven);
            const int joined = co_await child;
            auto other = spawn(seven);
            const auto waited = co_await wait(other);
            const int shielded = co_await shield(other);
            const auto job = [] { return 7; };
            const int called = co_await to_thread(job);
            const auto body = [&](task_group& g) -> task<> {
                g.spawn(seven);
                co_return;
            };
            co_await with_task_group(body);
            const auto [first, second] = co_await gather(seven(), seven());
            t.note(std::to_string(joined + shielded + called + first + second));
        };
        REQUIRE(lock_later.try_lock());
        auto h = spawn(cleans_up);
        co_await yield();
        h.cancel();
        loop::current().call_after(2ms, [&] { set_later.set(); });
        loop::current().call_after(3ms, [&] { lock_later.unlock(); });
        co_await h;
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "cancelled 35");
}

TEST_CASE("CAN-15 a second request interrupts the clean-up's wait, and a third what comes after") {
    trace t;
    run([&]() -> task<> {
        event unset;
        auto h = spawn([&]() -> task<> {
            const auto first = co_await settled(sleep_for(1h));
            t.note(end_of(first) + std::to_string(turn_number()));
            const auto second = co_await settled(unset.wait());
            t.note(end_of(second) + std::to_string(turn_number()));
            co_await sleep_for(1h);
        });
        co_await yield();
        h.cancel();
        co_await yield();
        h.cancel();
        co_await yield();
        h.cancel();
        co_await yield();
        CHECK(h.is_cancelled());
        CHECK(h.cancelling() == 3);
    });
    CHECK(t.joined() == "cancelled3 cancelled4");
}

TEST_CASE("CAN-20 the owner of a group that is asked to end again and again waits for its child without spinning") {
    run([]() -> task<> {
        trace t;
        const auto slow_to_end = [&]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            co_await sleep_for(200ms);
            t.note("child");
        };
        const auto body = [&](task_group& g) -> task<> {
            g.spawn(slow_to_end);
            co_return;
        };
        // The least of two: what a virtual machine loses is charged to whoever runs then, once.
        auto least = std::chrono::nanoseconds::max();
        for (int time = 0; time < 2; ++time) {
            auto h = spawn(with_task_group(body));
            co_await yield();
            co_await yield();
            for (int i = 0; i < 100; ++i) {
                h.cancel();
                co_await yield();
            }
            CHECK_FALSE(h.is_done());

            const auto before = loop::current().counters();
            const auto used_before = os::cpu_time();
            const auto ended = co_await wait(h);
            const auto after = loop::current().counters();
            if (used_before)
                least = std::min(least, *os::cpu_time() - *used_before);
            CHECK(after.turns - before.turns < 20);
            CHECK(after.resumptions - before.resumptions == 3);   // the child, the owner, this
            CHECK(h.is_cancelled());
            CHECK(h.cancelling() == 100);
        }
        if (os::cpu_time())
            CHECK(least < 10ms * slowdown + os::cpu_time_step());
        CHECK(t.joined() == "child child");
    });
}

namespace {

/// Scopes of several kinds, each inside the other, all in one task.
task<> nested_in_place(int depth, stack_meter& stack, std::vector<int>& ended) {
    stack.sample();
    if (depth == 0) {
        const auto left = co_await settled(sleep_for(1h));
        left.rethrow();
        co_return;
    }
    const auto in_group = [&](task_group&) -> task<> { co_await nested_in_place(depth - 1, stack, ended); };
    outcome<void> left;
    if (depth % 2 == 0)
        left = co_await settled(with_task_group(in_group));
    else
        left = co_await settled(timeout(1h, nested_in_place(depth - 1, stack, ended)));
    stack.sample();
    ended.push_back(depth);
    left.rethrow();
}

/// Groups, each with one child that opens the next.
task<> nested_in_children(int depth, stack_meter& stack, std::vector<int>& ended) {
    const auto body = [&](task_group& g) -> task<> {
        if (depth > 0)
            g.spawn(nested_in_children(depth - 1, stack, ended));
        else
            g.spawn(sleep_for(1h));
        co_return;
    };
    const auto left = co_await settled(with_task_group(body));
    stack.sample();
    ended.push_back(depth);
    left.rethrow();
}

}

TEST_CASE("CAN-22 five thousand scopes, each in the other, are cancelled at the root: the innermost ends first, in constant stack") {
    constexpr int depth = 5000;
    std::vector<int> expected;
    for (int i = 1; i <= depth; ++i)
        expected.push_back(i);

    stack_meter stack;
    std::vector<int> ended;
    run([&]() -> task<> {
        auto h = spawn(nested_in_place(depth, stack, ended));
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1 + depth / 2);
        h.cancel();
        co_await yield();
        CHECK(h.is_cancelled());
        CHECK(h.cancelling() == 1);
        CHECK(loop::current().counters().armed_timers == 0);
    });
    CHECK(ended == expected);
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("CAN-22 five thousand groups, each the child of another, are cancelled at the root: the innermost ends first") {
    constexpr int depth = 5000;
    std::vector<int> expected;
    for (int i = 0; i <= depth; ++i)
        expected.push_back(i);

    stack_meter stack;
    std::vector<int> ended;
    run([&]() -> task<> {
        auto h = spawn(nested_in_children(depth, stack, ended));
        while (loop::current().counters().armed_timers == 0)
            co_await yield();
        h.cancel();
        const auto waited = co_await wait(h);
        CHECK(h.is_cancelled());
        CHECK(loop::current().counters().tasks == 1);
    });
    CHECK(ended == expected);
    CHECK(stack.most() < stack_meter::enough);
}
