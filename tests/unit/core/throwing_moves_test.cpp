// throwing_moves_test.cpp - what is given to the loop, to spawn() and to to_thread() throws as it is moved there.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>
#include <unit/core/brittle.hpp>

#include <cstddef>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// True if `f` throws what a move throws, each time, and keeps no memory. The first time fills the free lists.
template <class F>
bool throws_and_keeps_nothing(F f) {
    std::size_t before = 0;
    for (int i = 0; i < 20; ++i) {
        if (i == 1)
            before = allocated_bytes();
        try {
            f();
            return false;
        } catch (const move_failed&) {
        }
    }
    return allocated_bytes() == before;
}

}

TEST_CASE("a callback whose function throws as it is moved is none: the caller is told, nothing runs and nothing is kept") {
    run([]() -> task<> {
        bool ran = false;
        loop& l = loop::current();
        CHECK(throws_and_keeps_nothing([&] { l.call_soon([own = brittle(1), &ran] { ran = true; }); }));
        CHECK(throws_and_keeps_nothing([&] { l.call_after(0s, [own = brittle(1), &ran] { ran = true; }); }));
        CHECK(throws_and_keeps_nothing([&] { l.post([own = brittle(1), &ran] { ran = true; }); }));
        CHECK(l.counters().armed_timers == 0);
        co_await yield();
        co_await yield();
        CHECK_FALSE(ran);
        l.call_soon([own = brittle(2), &ran] { ran = true; });
        co_await yield();
        CHECK(ran);
    });
}

TEST_CASE("a spawn whose argument throws as it is moved into the task starts none and keeps nothing") {
    run([]() -> task<> {
        bool ran = false;
        const auto takes = [&ran](brittle) -> task<> {
            ran = true;
            co_return;
        };
        const auto tasks = loop::current().counters().tasks;
        CHECK(throws_and_keeps_nothing([&] { spawn(takes, brittle(1)); }));
        CHECK(loop::current().counters().tasks == tasks);
        co_await yield();
        CHECK_FALSE(ran);
    });
}

TEST_CASE("a call for a thread that throws wherever it is moved leaves its await, is not made and keeps nothing") {
    run([]() -> task<> {
        int made = 0;
        int failures = 0;
        for (int at = 1;; ++at) {
            std::size_t before = 0;
            bool failed = true;
            for (int i = 0; failed && i < 20; ++i) {
                if (i == 1)
                    before = allocated_bytes();
                try {
                    co_await to_thread([own = brittle(at), &made] { ++made; });
                    failed = false;
                } catch (const move_failed&) {
                }
            }
            if (!failed)
                break;
            CHECK(allocated_bytes() == before);
            ++failures;
        }
        CHECK(failures > 1);
        CHECK(made == 1);
    });
}

TEST_CASE("a scope is left when what it bounds throws as its wait begins: its deadline is disarmed, and it takes no other") {
    run([]() -> task<> {
        bool was_left = false;
        for (int at = 1;; ++at) {
            timeout_scope scope(1h);
            try {
                co_await scope.run(to_thread([own = brittle(at)] {}));
                break;
            } catch (const move_failed&) {
            }
            CHECK(loop::current().counters().armed_timers == 0);
            // The last move is that into what the thread takes, within the scope.
            was_left = usage_of([&] { scope.reschedule(no_deadline); }) == errc::already_set;
        }
        CHECK(was_left);
    });
}
