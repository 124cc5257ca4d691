// queue_test.cpp - items in order, for whoever waited first, and none that a request loses or doubles.
#include <corun/corun.hpp>
#include <corun/queue.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

/// Gets one; notes its name, the item and the turn.
task<> gets(trace& t, queue<int>& q, std::string name) {
    const int item = co_await q.get();
    t.note(name + "=" + std::to_string(item) + "@" + std::to_string(turn_number()));
}

/// Puts one; notes the item and the turn.
task<> puts(trace& t, queue<int>& q, int item) {
    co_await q.put(item);
    t.note("put" + std::to_string(item) + "@" + std::to_string(turn_number()));
}

/// What is inside, in the order in which it comes out.
template <class Queue>
std::vector<int> drained(Queue& q) {
    std::vector<int> items;
    while (const std::optional<int> item = q.try_get())
        items.push_back(*item);
    return items;
}

bool is_shut_down(const task_ref& t) { return end_of(t) == queue_shut_down().what(); }

/// xorshift64: the same numbers with every library.
class numbers {
public:
    explicit numbers(std::uint64_t seed) noexcept : state_(seed * 0x9E3779B97F4A7C15u + 1) {}

    std::size_t below(std::size_t bound) noexcept {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return static_cast<std::size_t>((state_ >> 16) % bound);
    }

private:
    std::uint64_t state_;
};

}

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
        queue<int> q(1);
        co_await q.put(1);
        auto a = spawn(puts(t, q, 2));
        auto b = spawn(puts(t, q, 3));
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
        queue<int> q;
        auto a = spawn(gets(t, q, "a"));
        auto b = spawn(gets(t, q, "b"));
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
        queue<int> empty;
        queue<int> full(1);
        co_await full.put(1);
        auto a = spawn(gets(t, empty, "a"));
        auto b = spawn(gets(t, empty, "b"));
        auto c = spawn(puts(t, full, 2));
        auto d = spawn(puts(t, full, 3));
        co_await yield();
        empty.shutdown();
        full.shutdown();
        co_await yield();
        CHECK(is_shut_down(a));
        CHECK(is_shut_down(b));
        CHECK(is_shut_down(c));
        CHECK(is_shut_down(d));
        CHECK(drained(full) == std::vector<int>{1});
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
        CHECK(usage_of([&] { q.task_done(); }) == errc::not_locked);
    });
    CHECK(t.joined() == "woken=1@3 second=2@4");
}

TEST_CASE("SYN-13 join waits until task_done was called once for each item; one call more is refused") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        const auto before = turn_number();
        co_await q.join();
        CHECK(turn_number() == before);
        CHECK(usage_of([&] { q.task_done(); }) == errc::not_locked);
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
        CHECK(usage_of([&] { q.task_done(); }) == errc::not_locked);

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

TEST_CASE("SYN-14 a getter cancelled in the turn its item arrived leaves it to the next getter") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        auto a = spawn(gets(t, q, "a"));
        auto b = spawn(gets(t, q, "b"));
        co_await yield();
        CHECK(q.try_put(1));   // in turn 2: a's, which resumes in 3
        a.cancel();
        CHECK_FALSE(q.try_get().has_value());
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK_FALSE(q.try_get().has_value());   // b's by now
        co_await b;
        CHECK(q.empty());
    });
    CHECK(t.joined() == "b=1@4");
}

TEST_CASE("SYN-14 if nobody else waits the item stays; a request before the item: it is the next getter's at once") {
    trace t;
    run([&]() -> task<> {
        queue<int> q;
        auto only = spawn(gets(t, q, "only"));
        co_await yield();
        CHECK(q.try_put(1));
        CHECK(q.try_put(2));
        only.cancel();
        const auto ended = co_await wait(only);
        CHECK(end_of(only) == "cancelled");
        CHECK(drained(q) == std::vector<int>{1, 2});

        auto a = spawn(gets(t, q, "a"));
        auto b = spawn(gets(t, q, "b"));
        co_await yield();
        a.cancel();
        CHECK(q.try_put(3));
        const auto before = turn_number();
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK(t.joined() == "b=3@" + std::to_string(before + 1));
    });
}

TEST_CASE("SYN-15 a putter cancelled in the turn its room was made puts nothing, and the next putter has the room") {
    trace t;
    run([&]() -> task<> {
        queue<int> q(1);
        co_await q.put(1);
        auto a = spawn(puts(t, q, 2));
        auto b = spawn(puts(t, q, 3));
        co_await yield();
        CHECK(q.try_get() == 1);   // in turn 2: a's room
        a.cancel();
        CHECK_FALSE(q.try_put(9));
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK_FALSE(q.try_put(9));   // b's by now
        co_await b;
        CHECK(drained(q) == std::vector<int>{3});
    });
    CHECK(t.joined() == "put3@4");
}

TEST_CASE("SYN-15 if no other putter waits the room is free again") {
    trace t;
    run([&]() -> task<> {
        queue<int> q(1);
        co_await q.put(1);
        auto only = spawn(puts(t, q, 2));
        co_await yield();
        CHECK(q.try_get() == 1);
        only.cancel();
        const auto ended = co_await wait(only);
        CHECK(end_of(only) == "cancelled");
        CHECK(q.empty());
        CHECK(q.try_put(3));
        CHECK(drained(q) == std::vector<int>{3});
    });
    CHECK(t.empty());
}

TEST_CASE("SYN-18 a thousand tasks at one queue, cancelled at random: each item that was put is received once or inside") {
    constexpr std::size_t tasks = 1000;
    constexpr std::size_t items_each = 3;
    std::size_t cancelled_puts = 0;
    std::size_t cancelled_gets = 0;
    std::size_t received_items = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        INFO("seed " << seed);
        std::vector<int> accepted(tasks * items_each);   // how often a put of it went well
        std::vector<int> seen(tasks * items_each);       // how often it came out
        run([&]() -> task<> {
            numbers random(seed);
            queue<std::size_t> q(1 + random.below(8));
            const auto putter = [&](std::size_t which) -> task<> {
                for (std::size_t i = which * items_each; i < (which + 1) * items_each; ++i) {
                    const auto left = co_await settled(q.put(i));
                    cancelled_puts += left.is_cancelled() ? 1 : 0;
                    left.rethrow();
                    ++accepted[i];
                }
            };
            const auto getter = [&]() -> task<> {
                for (std::size_t i = 0; i < items_each; ++i) {
                    auto left = co_await settled(q.get());
                    cancelled_gets += left.is_cancelled() ? 1 : 0;
                    ++seen[left.value()];
                    ++received_items;
                }
            };
            std::vector<task_handle<>> all;
            for (std::size_t i = 0; i < tasks; ++i) {
                if (random.below(2) == 0)
                    all.push_back(spawn(putter, i));
                else
                    all.push_back(spawn(getter));
            }
            for (int turn = 0; turn < 50; ++turn) {
                co_await yield();
                for (int i = 0; i < 8; ++i)
                    all[random.below(tasks)].cancel();
            }
            // Until nothing moves any more, then the rest is ended.
            for (std::size_t moved = received_items + 1; moved != received_items;) {
                moved = received_items;
                for (int i = 0; i < 4; ++i)
                    co_await yield();
            }
            for (const task_handle<>& t : all)
                t.cancel();
            const auto ended = co_await wait(all);
            while (const auto item = q.try_get())
                ++seen[*item];
            CHECK(q.empty());
        });
        CHECK(seen == accepted);
        std::size_t twice = 0;
        for (const int times : seen)
            twice += times > 1 ? 1 : 0;
        CHECK(twice == 0);
    }
    CHECK(cancelled_puts > 1000);
    CHECK(cancelled_gets > 1000);
    CHECK(received_items > 10000);
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
