// sync_ends_test.cpp - what becomes of waiters, and of what was reserved for them, when an object ends, is shut down, or is used elsewhere.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("SYN-61 a waiter that is cancelled after its semaphore was destroyed gives nothing back to what stands there now") {
    hook_log log;
    run(run_options().on_exception(log.hook()), []() -> task<> {
        std::optional<corun::semaphore> s(std::in_place, 0);
        auto waits = spawn([&s]() -> task<> { const auto permit = co_await s->acquire(); });
        co_await yield();
        s.reset();
        s.emplace(0);
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(end_of(waits) == "cancelled");
        CHECK_FALSE(s->try_acquire());
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-62 a putter that was given room, and meets the shut down before it resumes, puts nothing") {
    run([]() -> task<> {
        queue<int> q(2);
        CHECK(q.try_put(1));
        CHECK(q.try_put(2));
        auto puts = spawn([&q]() -> task<> { co_await q.put(3); });
        co_await yield();
        const auto one = q.try_get();
        CHECK(one == 1);
        q.shutdown();
        const auto end = co_await settled(puts);
        CHECK(end.threw<queue_shut_down>());
        CHECK(q.size() == 1);
    });
}

TEST_CASE("SYN-63 a condition that tasks of another loop wait on can't be notified from this one") {
    mutex m;
    condition changed(m);
    runner first;
    bool woken = false;
    first.run([&]() -> task<> {
        spawn([&]() -> task<> {
            const auto lock = co_await m.lock();
            co_await changed.wait();
            woken = true;
        });
        co_await yield();
        spawn([&]() -> task<> {
            const auto lock = co_await m.lock();
            co_await sleep_for(1h);
        });
        co_await yield();
    });
    REQUIRE(m.is_locked());
    std::optional<errc> all;
    std::optional<errc> one;
    run([&]() -> task<> {
        one = usage_of([&] { changed.notify(1); });
        all = usage_of([&] { changed.notify_all(); });
        co_return;
    });
    CHECK(one == errc::foreign_loop);
    CHECK(all == errc::foreign_loop);
    first.run([]() -> task<> { co_await yield(); });
    CHECK_FALSE(woken);
}

TEST_CASE("SYN-64 a condition is notified with its mutex locked, or not at all") {
    run([]() -> task<> {
        mutex m;
        condition changed(m);
        bool woken = false;
        auto waits = spawn([&]() -> task<> {
            const auto lock = co_await m.lock();
            co_await changed.wait();
            woken = true;
        });
        co_await yield();
        CHECK(usage_of([&] { changed.notify(1); }) == errc::not_locked);
        CHECK(usage_of([&] { changed.notify_all(); }) == errc::not_locked);
        co_await yield();
        co_await yield();
        CHECK_FALSE(woken);
        waits.cancel();
        (void)co_await settled(waits);
    });
}

TEST_CASE("SYN-65 an item, or room, that a task passes through the queue for is its own: its budget is spent, not its place") {
    run([]() -> task<> {
        trace t;
        queue<int> items;
        for (int i = 1; i <= 65; ++i)
            CHECK(items.try_put(i));
        auto gets = spawn([&]() -> task<> {
            int last = 0;
            for (int i = 1; i <= 65; ++i)
                last = co_await items.get();
            t.note("got " + std::to_string(last));
        });
        auto newcomer = spawn([&]() -> task<> {
            t.note(items.size() == 1 ? "one is left" : "?");
            t.note(items.try_get() ? "taken" : "reserved");
            co_return;
        });
        co_await gets;
        co_await newcomer;
        CHECK(t.joined() == "one is left reserved got 65");

        t.clear();
        queue<int> room(65);
        auto puts = spawn([&]() -> task<> {
            for (int i = 1; i <= 65; ++i)
                co_await room.put(i);
            t.note("put");
        });
        auto other = spawn([&]() -> task<> {
            t.note(room.size() == 64 ? "room for one" : "?");
            t.note(room.try_put(0) ? "taken" : "reserved");
            co_return;
        });
        co_await puts;
        co_await other;
        CHECK(t.joined() == "room for one reserved put");
        CHECK(room.size() == 65);
    });
}

TEST_CASE("SYN-66 tasks that come to a barrier while others leave it wait for the last of them, and pass in their turn") {
    run([]() -> task<> {
        barrier b(2);
        std::vector<std::size_t> numbers;
        std::vector<task_handle<>> all;
        for (int i = 0; i < 6; ++i) {
            all.push_back(spawn([&]() -> task<> {
                const std::size_t number = co_await b.wait();
                numbers.push_back(number);
            }));
        }
        const auto left = co_await wait(all).within(10s);
        CHECK(left.pending.empty());
        CHECK(numbers.size() == 6);
        for (const task_handle<>& h : all)
            h.cancel();
    });
}

TEST_CASE("SYN-67 what a receiver has not taken goes with it, though senders live") {
    run([]() -> task<> {
        lifetimes l;
        auto ends = make_channel<counted>();
        co_await ends.first.send(counted(l));
        co_await ends.first.send(counted(l));
        CHECK(l.alive() == 2);
        ends.second.close();
        CHECK(l.alive() == 0);
    });
}

TEST_CASE("TSK-55 a task of another loop can't be waited for") {
    runner first;
    std::optional<task_handle<>> theirs;
    first.run([&theirs]() -> task<> {
        theirs = spawn([]() -> task<> { co_await sleep_for(1h); });
        co_await yield();
    });
    run([&theirs]() -> task<> {
        const auto waits = [&theirs]() -> task<> { (void)co_await wait(*theirs); };
        const auto end = co_await settled(waits());
        CHECK(usage_of(end) == errc::foreign_loop);
    });
}

TEST_CASE("TSK-56 waiting for no task at all is over at once, in the next turn") {
    run([]() -> task<> {
        const std::vector<task_handle<>> none;
        const auto all = co_await wait(none);
        CHECK(all.done.empty());
        const auto first = co_await wait(none, return_when::first);
        CHECK(first.pending.empty());
    });
}
