// guest_dispatch_test.cpp - the host's side of a guest, call by call: budgets, sleeping and waking, stopping.
#include <corun/corun.hpp>
#include <corun/guest.hpp>
#include <support/catch.hpp>
#include <support/counting_backend.hpp>
#include <support/hand_clock.hpp>
#include <support/trace.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <sys/wait.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A host that is these calls only; its guest is dispatched by the case.
class counting_host {
public:
    explicit counting_host(run_options options = {}) : g(std::move(options)) { attach(); }
    ~counting_host() { g.detach(); }

    void attach() {
        g.attach({[](void* self) noexcept { ++static_cast<counting_host*>(self)->wakes; }, this});
    }

    /// Dispatches, without a bound, until the guest may sleep.
    void settle() {
        while (g.prepare())
            g.dispatch();
    }

    /// Ends the run, whatever it waits for.
    void end() {
        g.request_stop();
        while (g.is_started() && !g.is_finished())
            g.dispatch();
    }

    std::atomic<int> wakes = 0;
    guest g;
};

}

TEST_CASE("GST-71 a dispatch begins nothing later than its time allows, and leaves the rest for the next one") {
    hand_clock c;
    counting_host h(by_hand(c));
    int ran = 0;
    for (int i = 0; i < 200; ++i) {
        h.g.spawn([&]() -> task<> {
            ++ran;
            c.now += 1ms;
            co_return;
        });
    }
    h.g.start([]() -> task<> { co_return; }, [](outcome<void>) {});
    const dispatch_result first = h.g.dispatch({.resumes = 256, .time = 5ms, .polls = 4});
    CHECK(first.more);
    CHECK(ran >= 5);
    CHECK(ran <= 5 + 16);   // the clock is looked at every 16 entries
    h.end();
    CHECK(ran == 200);
}

TEST_CASE("GST-78 a guest that was never started goes in the middle of a turn: its tasks are cancelled, no entry is left over") {
    trace t;
    const auto held = std::make_shared<int>();
    {
        counting_host h;
        for (const char* const name : {"a", "b", "c"})
            h.g.spawn([&t, name]() -> task<> {
                t.note(name);
                (void)co_await settled(sleep_for(1h));
                t.note(name);
            });
        for (int i = 0; i < 3; ++i)
            h.g.get_loop().post([held] {});
        CHECK(h.g.dispatch({.resumes = 2, .time = 1h, .polls = 4}).more);
        CHECK(t.joined() == "a b");
    }
    CHECK(t.joined() == "a b a b");   // the third never enters its body
    CHECK(held.use_count() == 1);
}

TEST_CASE("GST-78 the same where only callbacks are left") {
    const auto held = std::make_shared<int>();
    {
        counting_host h;
        for (int i = 0; i < 3; ++i)
            h.g.get_loop().post([held] {});
        CHECK(h.g.dispatch({.resumes = 1, .time = 1h, .polls = 4}).more);
    }
    CHECK(held.use_count() == 1);
}

TEST_CASE("GST-79 a child that a guest's task forks leaves the backend, which is its parent's, alone, in that very dispatch") {
    backend_calls calls;
    counting_host h(run_options().with(std::make_unique<counting_backend>(calls)));
    pid_t child = -1;
    std::uint64_t waits = 0;
    h.g.spawn([&]() -> task<> {
        child = ::fork();
        waits = calls.waits;
        co_return;
    });
    h.g.dispatch({.resumes = 256, .time = 1h, .polls = 4});
    if (child == 0)
        ::_exit(calls.waits == waits ? 0 : 1);
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("GST-72 a guest that has a new host wants to be dispatched once, though nothing is ready") {
    counting_host h;
    h.g.start([]() -> task<> { co_await sleep_for(1h); }, [](outcome<void>) {});
    CHECK(h.g.prepare());
    h.settle();
    CHECK_FALSE(h.g.prepare());
    h.g.detach();
    h.attach();
    CHECK(h.g.prepare());
    h.g.dispatch();
    h.settle();
    CHECK_FALSE(h.g.prepare());
    h.end();
}

TEST_CASE("GST-73 a timer that a host's code arms wakes the host if it comes before what the host was told last, not otherwise") {
    hand_clock c;
    counting_host h(by_hand(c));
    h.g.start(
        []() -> task<> {
            co_await sleep_for(10ms);
            co_await sleep_for(1h);
        },
        [](outcome<void>) {});
    h.settle();
    CHECK(h.g.next_deadline() == c.now + 10ms);
    c.now += 10ms;
    h.g.dispatch();
    h.settle();
    CHECK(h.g.next_deadline() == c.now + 1h);
    CHECK(h.wakes == 0);

    auto later = h.g.get_loop().call_after(2h, [] {});
    CHECK(h.wakes == 0);
    auto sooner = h.g.get_loop().call_after(1min, [] {});
    CHECK(h.wakes == 1);
    h.g.dispatch();
    h.settle();
    CHECK(h.g.next_deadline() == c.now + 1min);
    h.end();
}

TEST_CASE("GST-74 a dispatch looks at the system as often as its budget says") {
    hand_clock c;
    counting_host h(by_hand(c));
    h.g.start(
        [&c]() -> task<> {
            for (int i = 0; i < 1000; ++i) {
                c.now += 1ms;   // each turn is a slow one, which looks
                co_await yield();
            }
        },
        [](outcome<void>) {});
    for (int i = 0; i < 20; ++i)
        h.g.dispatch();
    const auto before = c.waits;
    const dispatch_result two = h.g.dispatch({.resumes = 256, .time = 1h, .polls = 2});
    CHECK(two.more);
    CHECK(c.waits - before == 2);
    h.end();
}

TEST_CASE("GST-76 what a host's code makes ready wakes the host once for each sleep, and what runs in a dispatch never does") {
    counting_host h;
    event e;
    int woken = 0;
    h.g.start(
        [&]() -> task<> {
            while (woken < 3) {
                co_await e.wait();
                e.clear();
                ++woken;
                for (int i = 0; i < 5; ++i)
                    co_await yield();
                spawn([]() -> task<> { co_await sleep_for(0s); });
            }
        },
        [](outcome<void>) {});
    h.settle();
    CHECK(h.wakes == 0);
    for (int i = 1; i <= 3; ++i) {
        e.set();
        h.g.spawn([]() -> task<> { co_return; });
        CHECK(h.wakes == i);
        h.g.dispatch();
        h.settle();
        CHECK(woken == i);
        CHECK(h.wakes == i);
    }
    while (!h.g.is_finished())
        h.g.dispatch();
}
