// queue_shut_down_test.cpp - the end of a queue: who has what is inside, and who is told.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/queue_scenes.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <string>

using namespace corun;
using namespace testing;

TEST_CASE("SYN-12 after a shut-down getters have what is inside and fail then; putters fail at once") {
    run([]() -> task<> {
        queue<int> q;
        co_await q.put(1);
        co_await q.put(2);
        q.shutdown();
        const auto put = co_await settled(q.put(3));
        CHECK(put.threw<queue_shut_down>());
        CHECK_THROWS_AS(q.try_put(3), queue_shut_down);
        CHECK(q.size() == 2);
        const int first = co_await q.get();
        CHECK(first == 1);
        CHECK(q.try_get() == 2);
        const auto got = co_await settled(q.get());
        CHECK(got.threw<queue_shut_down>());
        CHECK_FALSE(q.try_get().has_value());
    });
}

TEST_CASE("SYN-12 a shut-down ends the waits: getters and putters that wait fail in the next turn, nothing is put") {
    trace t;
    run([&]() -> task<> {
        two_getters empty(t);
        two_putters full(t);
        co_await yield();
        empty.q.shutdown();
        full.q.shutdown();
        co_await yield();
        CHECK(is_shut_down(empty.a));
        CHECK(is_shut_down(empty.b));
        CHECK(is_shut_down(full.a));
        CHECK(is_shut_down(full.b));
        CHECK(drained(full.q) == std::vector<int>{1});
    });
    CHECK(t.empty());
}

TEST_CASE("SYN-12 a getter that was woken before the shut-down has its item; a putter that was woken fails") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        queue<int> full(1);
        co_await full.put(1);
        auto woken = spawn(gets(t, q, "woken"));
        auto other = spawn(gets(t, q, "other"));
        auto putter = spawn(puts(t, full, 2));
        co_await yield();
        CHECK(q.try_put(7));
        q.shutdown();
        CHECK(full.try_get() == 1);
        full.shutdown();
        const auto ended = co_await wait(woken, other, putter);
        CHECK(end_of(woken) == "value");
        CHECK(is_shut_down(other));
        CHECK(is_shut_down(putter));
        CHECK(full.empty());
    });
    CHECK(t.joined() == "woken=7@3");
}

TEST_CASE("SYN-12 an immediate shut-down drops what is inside, what was meant for a woken getter too, and ends join") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        auto woken = spawn(gets(t, q, "woken"));
        co_await yield();
        CHECK(q.try_put(1));
        CHECK(q.try_put(2));
        const auto joins = [&]() -> task<> { co_await q.join(); };
        auto joined = spawn(joins);
        co_await yield();   // woken has 1
        CHECK(end_of(woken) == "value");
        auto second = spawn(gets(t, q, "second"));
        co_await second;
        q.task_done();
        q.task_done();
        co_await joined;

        auto third = spawn(gets(t, q, "third"));
        co_await yield();
        CHECK(q.try_put(3));   // third's
        CHECK(q.try_put(4));
        auto again = spawn(joins);
        q.shutdown(true);
        CHECK(q.empty());
        co_await again;
        CHECK(is_shut_down(third));
        const auto got = co_await settled(q.get());
        CHECK(got.threw<queue_shut_down>());
        CHECK(usage_of([&] { q.task_done(); }) == errc::too_many_calls);
    });
    CHECK(t.joined() == "woken=1@3 second=2@4");
}
