// semaphore_test.cpp - permits in order of arrival, and none that a request loses.
#include <corun/corun.hpp>
#include <corun/semaphore.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

/// Takes a permit, notes name and turn, keeps the permit for some turns.
task<> enters(trace& t, semaphore& s, std::string name, int turns = 0) {
    const auto permit = co_await s.acquire();
    t.note(name + std::to_string(turn_number()));
    for (int i = 0; i < turns; ++i)
        co_await yield();
}

struct room {
    explicit room(std::size_t permits) noexcept : s(permits) {}

    semaphore s;
    std::size_t inside = 0;
    std::size_t most = 0;
};

/// Is inside twice, for a turn each.
task<> enters_twice(room& r) {
    for (int i = 0; i < 2; ++i) {
        const auto permit = co_await r.s.acquire();
        r.most = std::max(r.most, ++r.inside);
        const auto held = co_await settled(yield());
        --r.inside;
        held.rethrow();
    }
}

/// Cancels those of `all` that `which` names, after `turns` turns; answers which of them were still there to be asked.
task<unsigned> cancels(const std::vector<task_handle<>>& all, unsigned which, int turns) {
    for (int i = 0; i < turns; ++i)
        co_await yield();
    unsigned asked = 0;
    for (unsigned i = 0; i < all.size(); ++i)
        if ((which & (1u << i)) && all[i].cancel())
            asked |= 1u << i;
    co_return asked;
}

}

TEST_CASE("SYN-05 of twenty tasks three are inside at a time, never more, and they enter in the order of their arrival") {
    constexpr int tasks = 20;
    std::vector<int> order;
    int inside = 0;
    int most = 0;
    run([&]() -> task<> {
        semaphore s(3);
        const auto stays = [&](int which) -> task<> {
            const auto permit = co_await s.acquire();
            order.push_back(which);
            most = std::max(most, ++inside);
            for (int i = 0; i <= which % 4; ++i)
                co_await yield();
            --inside;
        };
        std::vector<task_handle<>> all;
        for (int i = 0; i < tasks; ++i)
            all.push_back(spawn(stays, i));
        co_await yield();
        CHECK(inside == 3);
        CHECK(s.available() == 0);
        const auto ended = co_await wait(all);
        CHECK(s.available() == 3);
    });
    CHECK(most == 3);
    REQUIRE(order.size() == tasks);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("SYN-05 a released permit is its first waiter's one turn later; try_acquire doesn't get it in between") {
    trace t;
    run([&]() -> task<> {
        semaphore s(3);
        for (int i = 0; i < 3; ++i)
            REQUIRE(s.try_acquire());
        CHECK_FALSE(s.try_acquire());
        auto a = spawn(enters(t, s, "a"));
        auto b = spawn(enters(t, s, "b"));
        co_await yield();
        s.release();   // in turn 2: a's
        CHECK(s.available() == 0);
        CHECK_FALSE(s.try_acquire());
        co_await enters(t, s, "newcomer");
        CHECK(a.is_done());
        CHECK(b.is_done());
        CHECK(s.available() == 1);
        s.release();
        s.release();
    });
    CHECK(t.joined() == "a3 b4 newcomer5");
}

TEST_CASE("SYN-05 a free permit is taken without a turn; a kept one stays taken, a guard gives its own back once") {
    run([]() -> task<> {
        semaphore s(2);
        const auto before = turn_number();
        auto kept = co_await s.acquire();
        auto released = co_await s.acquire();
        CHECK(turn_number() == before);
        CHECK(s.available() == 0);
        kept.keep();
        CHECK_FALSE(bool(kept));
        kept.release();
        CHECK(s.available() == 0);
        released.release();
        released.release();
        CHECK(s.available() == 1);
        s.release();
        CHECK(s.available() == 2);
    });
}

TEST_CASE("SYN-06 a semaphore can be released above its initial number, and then lets as many more in") {
    run([]() -> task<> {
        semaphore s(1);
        s.release();
        CHECK(s.available() == 2);
        const auto first = co_await s.acquire();
        CHECK(s.try_acquire());
        CHECK_FALSE(s.try_acquire());
        s.release();

        semaphore none(0);
        CHECK_FALSE(none.try_acquire());
        none.release();
        CHECK(none.try_acquire());
    });
}

TEST_CASE("SYN-06 a bounded semaphore refuses to be released when every permit is free, and stays as it was") {
    trace t;
    run([&]() -> task<> {
        bounded_semaphore s(2);
        CHECK(usage_of([&] { s.release(); }) == errc::not_locked);
        CHECK(s.available() == 2);
        REQUIRE(s.try_acquire());
        s.release();
        CHECK(usage_of([&] { s.release(); }) == errc::not_locked);
        CHECK(s.available() == 2);

        REQUIRE(s.try_acquire());
        REQUIRE(s.try_acquire());
        auto waiter = spawn(enters(t, s, "waiter"));
        co_await yield();
        s.release();   // handed over: none is free
        s.release();
        CHECK(s.available() == 1);
        co_await waiter;
        CHECK(s.available() == 2);
        CHECK(usage_of([&] { s.release(); }) == errc::not_locked);
    });
    CHECK(t.joined() == "waiter3");
}

TEST_CASE("SYN-07 whichever of four tasks are cancelled, at whichever step, no permit is lost, none is made, the others end") {
    int delivered = 0;
    for (const std::size_t permits : {1u, 2u, 3u}) {
        for (const bool first_in_turn : {false, true}) {
            for (unsigned which = 1; which < 16; ++which) {
                unsigned asked = which;
                for (int turn = 0; asked != 0; ++turn) {
                    REQUIRE(turn < 100);
                    INFO(permits << " permits, tasks " << which << ", turn " << turn << ", first " << first_in_turn);
                    run([&]() -> task<> {
                        room r(permits);
                        std::vector<task_handle<>> all;
                        all.reserve(4);
                        task_handle<unsigned> canceller;
                        if (first_in_turn)
                            canceller = spawn(cancels(all, which, turn));
                        for (int i = 0; i < 4; ++i)
                            all.push_back(spawn(enters_twice(r)));
                        if (!first_in_turn)
                            canceller = spawn(cancels(all, which, turn));
                        asked = co_await canceller;
                        const auto ended = co_await wait(all);
                        for (unsigned i = 0; i < 4; ++i) {
                            const std::string expected = asked & (1u << i) ? "cancelled" : "value";
                            CHECK(end_of(all[i]) == expected);
                            delivered += all[i].is_cancelled() ? 1 : 0;
                        }
                        CHECK(r.s.available() == permits);
                        CHECK(r.inside == 0);
                        CHECK(r.most <= permits);
                    });
                }
            }
        }
    }
    CHECK(delivered > 100);
}

TEST_CASE("SYN-07 a waiter cancelled in the turn in which it was handed a permit passes it on, or frees it") {
    trace t;
    run([&]() -> task<> {
        semaphore s(1);
        REQUIRE(s.try_acquire());
        auto a = spawn(enters(t, s, "a"));
        auto b = spawn(enters(t, s, "b"));
        co_await yield();
        s.release();   // in turn 2: a has it, and resumes in 3
        a.cancel();
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK_FALSE(s.try_acquire());   // b has it by now
        co_await b;
        CHECK(s.available() == 1);

        REQUIRE(s.try_acquire());
        auto only = spawn(enters(t, s, "only"));
        co_await yield();
        s.release();
        only.cancel();
        CHECK(s.available() == 0);
        const auto ended = co_await wait(only);
        CHECK(end_of(only) == "cancelled");
        CHECK(s.available() == 1);
    });
    CHECK(t.joined() == "b4");
}

TEST_CASE("SYN-48 a bounded semaphore never has more free permits than its bound; a guard's release too many is reported") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        bounded_semaphore s(1);
        {
            const auto permit = co_await s.acquire();
            s.release();
        }
        CHECK(s.available() == 1);
        REQUIRE(log.size() == 1);
        CHECK(usage_of(log.reports()[0].error) == errc::not_locked);
        semaphore& base = s;
        CHECK(usage_of([&] { base.release(); }) == errc::not_locked);
        CHECK(s.available() == 1);
    });
    CHECK(log.size() == 1);
}
