// timeout_scope_test.cpp - results that race with the expiry, deadlines that move, and what scopes leave behind.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/scale.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TMO-09 what an await in memory was given in the turn of the expiry is passed on: timed_out, in both orders") {
    for (const bool given_first : {false, true}) {
        INFO(given_first);
        run([given_first]() -> task<> {
            const auto deadline = loop::current().time() + 2ms;
            event e;
            mutex m;
            REQUIRE(m.try_lock());
            const auto give = [&] {
                e.set();
                m.unlock();
            };
            if (given_first)
                loop::current().call_at(deadline, give);
            auto on_event = spawn([&]() -> task<> { co_await timeout_at(deadline, e.wait()); });
            auto on_mutex = spawn([&]() -> task<> { const auto lock = co_await timeout_at(deadline, m.lock()); });
            co_await yield();
            if (!given_first)
                loop::current().call_at(deadline, give);
            const auto ended = co_await wait(on_event, on_mutex);
            CHECK(end_of(on_event) == "timed_out");
            CHECK(end_of(on_mutex) == "timed_out");
            CHECK_FALSE(m.is_locked());
            CHECK(on_event.cancelling() == 0);
        });
    }
}

TEST_CASE("TMO-09 a read that races with its timeout gives its bytes or leaves them: none is lost, and no request stays behind") {
    run([]() -> task<> {
        auto pair = co_await connected_pair();
        const int rounds = under_sanitizer ? 200 : 500;
        std::size_t received = 0;
        std::array<std::byte, 1> const sent{std::byte(0x5a)};
        for (int round = 0; round < rounds; ++round) {
            // The byte comes at about the time of the deadline: a few before, a few after.
            const auto deadline = loop::current().time() + 200us;
            auto writer = spawn([&, round]() -> task<> {
                co_await sleep_until(deadline + std::chrono::microseconds(round % 40 - 30));
                const auto written = co_await pair.theirs.write(sent);
                CHECK(written == 1);
            });
            std::array<std::byte, 8> buffer{};
            const auto left = co_await settled(timeout_at(deadline, pair.ours.read(buffer)));
            const bool clean = co_await nothing_is_left();
            REQUIRE(clean);
            co_await writer;
            if (left.is_error()) {
                REQUIRE(left.threw<timed_out>());
                const auto rest = co_await pair.ours.read(buffer);
                REQUIRE(rest == 1);
            }
            ++received;
        }
        CHECK(received == static_cast<std::size_t>(rounds));
    });
}

TEST_CASE("TMO-10 a deadline may be moved later, earlier or away while the body runs") {
    run([]() -> task<> {
        timeout_scope later(2ms);
        const auto moves_it_later = [&]() -> task<> {
            CHECK(later.deadline() > loop::current().time());
            later.reschedule_after(1h);
            co_await sleep_for(5ms);
        };
        co_await later.run(moves_it_later());
        CHECK_FALSE(later.is_expired());

        timeout_scope earlier(1h);
        const auto moves_it_earlier = [&]() -> task<> {
            earlier.reschedule_after(1ms);
            co_await sleep_for(1h);
        };
        const auto expired = co_await settled(earlier.run(moves_it_earlier()));
        CHECK(end_of(expired) == "timed_out");
        CHECK(earlier.is_expired());

        timeout_scope away(2ms);
        const auto takes_it_away = [&]() -> task<> {
            away.reschedule(no_deadline);
            CHECK(loop::current().counters().armed_timers == 0);
            co_await sleep_for(5ms);
        };
        co_await away.run(takes_it_away());
        CHECK(away.deadline() == no_deadline);

        timeout_scope none;
        CHECK(none.deadline() == no_deadline);
        const auto gives_one = [&]() -> task<> {
            none.reschedule_after(1ms);
            co_await sleep_for(1h);
        };
        const auto given = co_await settled(none.run(gives_one()));
        CHECK(end_of(given) == "timed_out");

        CHECK(loop::current().counters().armed_timers == 0);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-10 moved to the past it expires in the next turn; moved away in time, it doesn't") {
    run([]() -> task<> {
        timeout_scope scope(1h);
        std::uint64_t moved = 0;
        const auto to_the_past = [&]() -> task<> {
            co_await yield();
            moved = turn_number();
            scope.reschedule(time_point::min());
            co_await sleep_for(1h);
        };
        const auto left = co_await settled(scope.run(to_the_past()));
        CHECK(end_of(left) == "timed_out");
        CHECK(turn_number() - moved == 2);

        timeout_scope twice(1h);
        const auto back_again = [&]() -> task<> {
            twice.reschedule(time_point::min());
            twice.reschedule_after(1h);
            co_await yield();
            co_await yield();
        };
        co_await twice.run(back_again());
        CHECK_FALSE(twice.is_expired());

        // Another task may move it, and before it is entered it may be set.
        timeout_scope by_other;
        by_other.reschedule(no_deadline);
        auto h = spawn([&]() -> task<> { co_await by_other.run(sleep_for(1h)); });
        co_await yield();
        by_other.reschedule_after(1ms);
        const auto ended = co_await wait(h);
        CHECK(end_of(h) == "timed_out");
        CHECK(h.cancelling() == 0);
    });
}

TEST_CASE("TMO-11 a scope that has expired or has been left can't be moved, nor used again") {
    run([]() -> task<> {
        timeout_scope expired(0s);
        const auto body = [&]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            CHECK(expired.is_expired());
            CHECK(usage_of([&] { expired.reschedule_after(1h); }) == errc::already_set);
            left.rethrow();
        };
        const auto left = co_await settled(expired.run(body()));
        CHECK(end_of(left) == "timed_out");
        CHECK(usage_of([&] { expired.reschedule(no_deadline); }) == errc::already_set);

        timeout_scope over(1h);
        co_await over.run(yield());
        CHECK_FALSE(over.is_expired());
        CHECK(usage_of([&] { over.reschedule_after(1h); }) == errc::already_set);
        const auto again = co_await settled(over.run(yield()));
        CHECK(usage_of(again) == errc::already_set);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-12 a timeout around a shield ends now, and the shielded task goes on") {
    run([]() -> task<> {
        event go;
        auto inner = spawn([&]() -> task<int> {
            co_await go.wait();
            co_return 7;
        });
        const auto left = co_await settled(timeout(1ms, shield(inner)));
        CHECK(end_of(left) == "timed_out");
        CHECK_FALSE(inner.is_done());
        CHECK(inner.cancelling() == 0);
        go.set();
        const int value = co_await inner;
        CHECK(value == 7);

        const auto waited = co_await settled(timeout(0s, wait(spawn(sleep_for(2ms)))));
        CHECK(end_of(waited) == "timed_out");
        CHECK(loop::current().counters().tasks == 2);
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}

TEST_CASE("TMO-13 a hundred thousand timeouts that never expire leave no timer and no memory") {
    const auto count = scaled(100'000);
    run([count]() -> task<> {
        const auto body = []() -> task<> { co_await yield(); };
        const auto some = [&](std::size_t n) -> task<> {
            for (std::size_t i = 0; i < n; ++i)
                co_await timeout(1h, body());
        };
        co_await some(100);
        const auto bytes = allocated_bytes();
        co_await some(count);
        const auto bytes_after = allocated_bytes();   // before a check: the reporter keeps what it is told
        CHECK(bytes_after <= bytes);
        CHECK(loop::current().counters().armed_timers == 0);

        // Many at once, taken out in another order than they were put in.
        std::vector<task_handle<>> all;
        std::vector<std::unique_ptr<event>> events;
        for (int i = 0; i < 1000; ++i) {
            events.push_back(std::make_unique<event>());
            all.push_back(spawn(timeout(1h + std::chrono::milliseconds(i * 7 % 1000), events.back()->wait())));
        }
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1000);
        for (std::size_t i = 0; i < 1000; ++i)
            events[i * 37 % 1000]->set();
        const auto ended = co_await wait(all);
        CHECK(loop::current().counters().armed_timers == 0);
        for (const auto& h : all)
            CHECK(end_of(h) == "value");
    });
}

TEST_CASE("TMO-14 a timeout in the clean-up of a cancelled task works: its count is its own") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn([&]() -> task<> {
            const auto cleans_up = [&]() -> task<> {
                const auto quick = co_await settled(timeout(1h, yield()));
                t.note(end_of(quick));
                const auto late = co_await settled(timeout(1ms, sleep_for(1h)));
                t.note(end_of(late) + std::to_string(this_task::handle().cancelling()));
                const auto at_once = co_await settled(timeout(0s, sleep_for(1h)));
                t.note(end_of(at_once) + std::to_string(this_task::handle().cancelling()));
            };
            co_await finally(sleep_for(1h), cleans_up);
        });
        co_await yield();
        h.cancel();
        const auto ended = co_await wait(h);
        t.note(end_of(h));
    });
    CHECK(t.joined() == "value timed_out1 timed_out1 cancelled");
}

TEST_CASE("TMO-15 a deadline in the past is like zero") {
    run([]() -> task<> {
        const auto gives = []() -> task<int> { co_return 7; };
        const int value = co_await timeout_at(time_point::min(), gives());
        CHECK(value == 7);
        for (const auto deadline : {time_point::min(), loop::current().time() - 1h, loop::current().time()}) {
            const auto before = turn_number();
            const auto left = co_await settled(timeout_at(deadline, sleep_for(1h)));
            CHECK(end_of(left) == "timed_out");
            CHECK(turn_number() - before == 2);
        }
        const auto never = co_await settled(timeout(std::chrono::hours::max(), yield()));
        CHECK(never.has_value());
        const bool clean = co_await nothing_is_left();
        CHECK(clean);
    });
}
