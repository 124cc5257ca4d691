// queue_test.cpp - items in order, for whoever waited first; what was taken and what is done.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/queue_scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <functional>
#include <vector>

using namespace corun;
using namespace testing;

TEST_CASE("SYN-11 items come in order of arrival, last first, or least first") {
    run([]() -> task<> {
        queue<int> fifo;
        lifo_queue<int> lifo;
        corun::priority_queue<int> least;
        corun::priority_queue<int, std::greater<int>> greatest;
        for (const int item : {3, 1, 4, 2}) {
            co_await fifo.put(item);
            co_await lifo.put(item);
            co_await least.put(item);
            co_await greatest.put(item);
        }
        CHECK(fifo.size() == 4);
        CHECK(drained(fifo) == std::vector<int>{3, 1, 4, 2});
        CHECK(drained(lifo) == std::vector<int>{2, 4, 1, 3});
        CHECK(drained(least) == std::vector<int>{1, 2, 3, 4});
        CHECK(drained(greatest) == std::vector<int>{4, 3, 2, 1});
        CHECK(fifo.empty());
    });
}

TEST_CASE("SYN-11 with nobody waiting, put and get take no turn; a full queue takes no more, one of capacity 0 always") {
    run([]() -> task<> {
        queue<int> q(2);
        const auto before = turn_number();
        co_await q.put(1);
        CHECK(q.try_put(2));
        CHECK_FALSE(q.try_put(3));
        CHECK(q.size() == 2);
        const int first = co_await q.get();
        CHECK(first == 1);
        CHECK(turn_number() == before);
        CHECK(q.try_put(4));
        CHECK(drained(q) == std::vector<int>{2, 4});
        CHECK_FALSE(q.try_get().has_value());

        queue<int> unbounded(0);
        bool taken = true;
        for (int i = 0; i < 1000; ++i)
            taken = taken && unbounded.try_put(i);
        CHECK(taken);
        CHECK(unbounded.size() == 1000);
    });
}

TEST_CASE("SYN-11 putters of a full queue wait in order; room that was made is the first one's, not a newcomer's") {
    trace t;
    run([&]() -> task<> {
        two_putters s(t);
        auto& [q, a, b] = s;
        co_await yield();
        CHECK(t.empty());
        CHECK(q.try_get() == 1);   // in turn 2
        CHECK(q.empty());
        CHECK_FALSE(q.try_put(9));
        co_await a;
        CHECK(q.size() == 1);
        CHECK_FALSE(b.is_done());
        CHECK(q.try_get() == 2);   // in turn 4
        co_await b;
        CHECK(drained(q) == std::vector<int>{3});
    });
    CHECK(t.joined() == "put2@3 put3@5");
}

TEST_CASE("SYN-11 getters of an empty queue wait in order; an item that came is the first one's, not a newcomer's") {
    trace t;
    run([&]() -> task<> {
        two_getters s(t);
        auto& [q, a, b] = s;
        co_await yield();
        CHECK(t.empty());
        CHECK(q.try_put(1));   // in turn 2
        CHECK_FALSE(q.try_get().has_value());
        CHECK(q.size() == 1);
        auto newcomer = spawn(gets(t, q, "newcomer"));
        co_await a;
        CHECK(q.try_put(2));   // in turn 4
        CHECK(q.try_put(3));
        const auto ended = co_await wait(b, newcomer);
        CHECK(q.empty());
    });
    CHECK(t.joined() == "a=1@3 b=2@5 newcomer=3@5");
}

TEST_CASE("SYN-13 join waits until task_done was called once for each item; one call more is refused") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        const auto before = turn_number();
        co_await q.join();
        CHECK(turn_number() == before);
        CHECK(usage_of([&] { q.task_done(); }) == errc::too_many_calls);
        const auto joins = [&]() -> task<> {
            co_await q.join();
            t.note("joined" + std::to_string(turn_number()));
        };
        for (const int item : {1, 2, 3})
            CHECK(q.try_put(item));
        auto joined = spawn(joins);
        CHECK(drained(q).size() == 3);
        co_await yield();
        q.task_done();
        q.task_done();
        co_await yield();
        co_await yield();
        CHECK(t.empty());   // taken isn't done
        q.task_done();      // in turn 4
        co_await joined;
        CHECK(usage_of([&] { q.task_done(); }) == errc::too_many_calls);

        CHECK(q.try_put(4));   // counts from the beginning
        auto again = spawn(joins);
        co_await yield();
        co_await yield();
        CHECK_FALSE(again.is_done());
        q.task_done();
        co_await again;
    });
    CHECK(t.events().size() == 2);
    CHECK(t.events()[0] == "joined5");
}

TEST_CASE("SYN-11 room that a woken putter has not filled yet is no newcomer's, with others' items inside either") {
    trace t;
    run([&]() -> task<> {
        queue<int> q(2);
        co_await q.put(1);
        co_await q.put(2);
        auto only = spawn(puts(t, q, 3));
        co_await yield();
        CHECK(q.try_get() == 1);   // in turn 2
        CHECK_FALSE(q.try_put(9));
        co_await only;
        CHECK(drained(q) == std::vector<int>{2, 3});
    });
    CHECK(t.joined() == "put3@3");
}
