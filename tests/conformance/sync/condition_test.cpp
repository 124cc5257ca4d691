// condition_test.cpp - the lock is the caller's again whatever ends the wait, and no notification is lost to a request.
#include <corun/condition.hpp>
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <string>

using namespace corun;
using namespace testing;

namespace {

/// A condition, its mutex, and who is between lock and unlock.
struct watched {
    mutex m;
    condition c{m};
    std::string holder;
    trace t;
};

/// Waits once; notes how that ended and in which turn, and holds the lock for another turn. Ends as the wait did.
task<> waits(watched& w, std::string name) {
    const auto lock = co_await w.m.lock();
    const auto left = co_await settled(w.c.wait());
    CHECK(w.m.is_locked());
    CHECK(w.holder == "");
    w.holder = name;
    w.t.note(name + "-" + end_of(left) + std::to_string(turn_number()));
    co_await yield();
    CHECK(w.holder == name);
    w.holder = "";
    left.rethrow();
}

/// Waits for two of those: the first was cancelled, the second had the notification.
task<> second_is_notified(watched& w, task_ref first, task_ref second) {
    const auto ended = co_await wait(first, second);
    CHECK(end_of(first) == "cancelled");
    CHECK(end_of(second) == "value");
    CHECK_FALSE(w.m.is_locked());
}

/// Holds the lock for some turns.
task<> locks(watched& w, std::string name, int turns) {
    const auto lock = co_await w.m.lock();
    CHECK(w.holder == "");
    w.holder = name;
    w.t.note(name + std::to_string(turn_number()));
    for (int i = 0; i < turns; ++i)
        co_await yield();
    CHECK(w.holder == name);
    w.holder = "";
}

}

TEST_CASE("SYN-09 a notification to a waiter that is being cancelled passes on; it has the lock when cancelled leaves") {
    watched w;
    run([&]() -> task<> {
        auto a = spawn(waits(w, "a"));
        auto b = spawn(waits(w, "b"));
        co_await yield();
        auto lock = co_await w.m.lock();
        w.holder = "main";
        w.c.notify(1);
        a.cancel();
        for (int i = 0; i < 3; ++i)
            co_await yield();
        CHECK(w.t.empty());
        CHECK_FALSE(a.is_done());
        w.holder = "";
        lock.unlock();   // in turn 5
        co_await second_is_notified(w, a, b);
    });
    CHECK(w.t.joined() == "a-cancelled6 b-value8");
}

TEST_CASE("SYN-09 a waiter cancelled before the notification doesn't take it: the next one has it") {
    watched w;
    run([&]() -> task<> {
        auto a = spawn(waits(w, "a"));
        auto b = spawn(waits(w, "b"));
        co_await yield();
        auto lock = co_await w.m.lock();
        a.cancel();
        w.c.notify(1);
        lock.unlock();
        co_await second_is_notified(w, a, b);
    });
    CHECK(w.t.joined() == "a-cancelled3 b-value5");
}

TEST_CASE("SYN-09 a notification that nobody is left to hear is gone: who waits later waits for the next one") {
    watched w;
    run([&]() -> task<> {
        auto a = spawn(waits(w, "a"));
        co_await yield();
        auto lock = co_await w.m.lock();
        w.c.notify(1);
        a.cancel();
        lock.unlock();
        const auto ended = co_await wait(a);
        CHECK(end_of(a) == "cancelled");
        auto later = spawn(waits(w, "later"));
        for (int i = 0; i < 5; ++i)
            co_await yield();
        CHECK_FALSE(later.is_done());
        CHECK(w.t.events().size() == 1);
        lock = co_await w.m.lock();
        w.c.notify(1);
        lock.unlock();
        co_await later;
        CHECK(w.t.events().size() == 2);
        CHECK_FALSE(w.m.is_locked());
    });
}

TEST_CASE("SYN-10 cancelled while it waits for the lock again, it has the lock first and leaves with cancelled then") {
    for (const int requests : {1, 2}) {
        watched w;
        run([&]() -> task<> {
            auto a = spawn(waits(w, "a"));
            co_await yield();
            auto lock = co_await w.m.lock();
            w.holder = "main";
            w.c.notify(1);
            co_await yield();   // in turn 3 it waits for the lock
            for (int i = 0; i < requests; ++i) {
                a.cancel();
                co_await yield();
                co_await yield();
                CHECK(w.t.empty());
                CHECK_FALSE(a.is_done());
            }
            w.holder = "";
            lock.unlock();
            w.t.note("unlocked" + std::to_string(turn_number()));
            const auto ended = co_await wait(a);
            CHECK(end_of(a) == "cancelled");
            CHECK_FALSE(w.m.is_locked());
        });
        const std::string expected[] = {"unlocked5 a-cancelled6", "unlocked7 a-cancelled8"};
        CHECK(w.t.joined() == expected[requests - 1]);
    }
}

TEST_CASE("SYN-10 cancelled while it waits for the lock again, a waiter passes on its notification") {
    watched w;
    run([&]() -> task<> {
        auto a = spawn(waits(w, "a"));
        auto b = spawn(waits(w, "b"));
        co_await yield();
        auto lock = co_await w.m.lock();
        w.c.notify(1);
        co_await yield();
        a.cancel();
        co_await yield();
        lock.unlock();   // in turn 4
        co_await second_is_notified(w, a, b);
    });
    CHECK(w.t.joined() == "a-cancelled5 b-value7");
}

TEST_CASE("SYN-10 cancelled in the turn in which it was handed the lock, it gives the lock to who waits and gets it again") {
    watched w;
    run([&]() -> task<> {
        auto a = spawn(waits(w, "a"));
        co_await yield();
        auto lock = co_await w.m.lock();
        w.c.notify(1);
        auto rival = spawn(locks(w, "rival", 1));
        co_await yield();   // in turn 3 both wait for the lock
        lock.unlock();
        a.cancel();
        CHECK(w.m.is_locked());
        const auto ended = co_await wait(a, rival);
        CHECK(end_of(a) == "cancelled");
        CHECK(end_of(rival) == "value");
        CHECK_FALSE(w.m.is_locked());
    });
    CHECK(w.t.joined() == "rival5 a-cancelled7");
}
