// condition_test.cpp - a notification reaches somebody, and the lock is held again when a wait ends, however it ends.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include <string>

using namespace corun;
using namespace testing;

namespace {

/// Locks, waits, notes how the wait ended and whether the lock is held then.
task<> waits(trace& t, mutex& m, condition& c, std::string name) {
    const auto lock = co_await m.lock();
    const auto end = co_await settled(c.wait());
    t.note(name + (end.is_cancelled() ? " cancelled" : " notified") + (m.is_locked() ? "" : " without the lock"));
}

}

TEST_CASE("SYN-09 a notification given to a waiter that is cancelled passes to the next, and the lock is held when cancelled leaves") {
    trace t;
    run([&t]() -> task<> {
        mutex m;
        condition c(m);
        auto first = spawn(waits(t, m, c, "first"));
        auto second = spawn(waits(t, m, c, "second"));
        for (int i = 0; i < 3; ++i)
            co_await yield();
        {
            const auto lock = co_await m.lock();
            c.notify();
            first.cancel();
        }
        co_await second;
        co_await wait(first);
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.joined() == "first cancelled second notified");
}

TEST_CASE("SYN-10 a waiter that is cancelled while it waits for the lock again gets the lock first, then cancelled") {
    trace t;
    run([&t]() -> task<> {
        mutex m;
        condition c(m);
        auto waiter = spawn(waits(t, m, c, "waiter"));
        co_await yield();
        co_await yield();
        {
            const auto lock = co_await m.lock();
            c.notify();
            for (int i = 0; i < 3; ++i)
                co_await yield();   // it is notified and waits for the lock
            waiter.cancel();
            for (int i = 0; i < 3; ++i)
                co_await yield();
            CHECK(t.empty());
        }
        co_await wait(waiter);
    });
    CHECK(t.joined() == "waiter cancelled");
}
