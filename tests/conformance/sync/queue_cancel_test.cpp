// queue_cancel_test.cpp - no item and no room that a request loses or doubles.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/queue_scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

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

TEST_CASE("SYN-14 a getter cancelled in the turn its item arrived leaves it to the next getter") {
    trace t;
    run([&]() -> task<> {
        two_getters s(t);
        auto& [q, a, b] = s;
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
    });
    run([&]() -> task<> {
        two_getters s(t);
        auto& [q, a, b] = s;
        co_await yield();
        a.cancel();
        CHECK(q.try_put(3));   // in turn 2
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK(t.joined() == "b=3@3");
    });
}

TEST_CASE("SYN-15 a putter cancelled in the turn its room was made puts nothing, and the next putter has the room") {
    trace t;
    run([&]() -> task<> {
        two_putters s(t);
        auto& [q, a, b] = s;
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
