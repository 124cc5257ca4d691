// mutex_test.cpp - mutual exclusion in order of arrival, and a lock that no request loses.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/operation_canceled.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Locks, notes name and turn, keeps the lock for some turns.
task<> locks(trace& t, mutex& m, std::string name, int turns = 0) {
    const auto lock = co_await m.lock();
    t.note(name + std::to_string(turn_number()));
    for (int i = 0; i < turns; ++i)
        co_await yield();
}

}

TEST_CASE("SYN-01 a hundred tasks lock a hundred times each: one at a time, in the order of their arrival") {
    constexpr std::size_t tasks = 100;
    constexpr std::size_t rounds = 100;
    std::vector<std::size_t> order;
    int inside = 0;
    int most = 0;
    run([&]() -> task<> {
        mutex m;
        const auto enters = [&](std::size_t which) -> task<> {
            for (std::size_t i = 0; i < rounds; ++i) {
                const auto lock = co_await m.lock();
                most = std::max(most, ++inside);
                order.push_back(which);
                co_await yield();
                --inside;
            }
        };
        std::vector<task_handle<>> all;
        for (std::size_t i = 0; i < tasks; ++i)
            all.push_back(spawn(enters, i));
        const auto ended = co_await wait(all);
        CHECK_FALSE(m.is_locked());
    });
    CHECK(most == 1);
    REQUIRE(order.size() == tasks * rounds);
    bool in_turn = true;
    for (std::size_t i = 0; i < order.size(); ++i)
        in_turn = in_turn && order[i] == i % tasks;
    CHECK(in_turn);
}

TEST_CASE("SYN-01 a free lock is taken without a turn; a released one is its first waiter's one turn later") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        const auto before = turn_number();
        auto lock = co_await m.lock();
        CHECK(turn_number() == before);
        CHECK(bool(lock));
        CHECK(m.is_locked());
        auto a = spawn(locks(t, m, "a", 1));
        auto b = spawn(locks(t, m, "b"));
        co_await yield();
        lock.unlock();   // in turn 2
        CHECK_FALSE(bool(lock));
        CHECK(m.is_locked());   // handed over, not free
        co_await b;
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.joined() == "a3 b5");
}

TEST_CASE("SYN-01 a newcomer never overtakes a waiter, neither by lock nor by try_lock, in the hand-over either") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto lock = co_await m.lock();
        auto waiter = spawn(locks(t, m, "waiter"));
        co_await yield();
        CHECK_FALSE(m.try_lock());
        lock.unlock();
        CHECK_FALSE(m.try_lock());
        co_await locks(t, m, "newcomer");
        CHECK(waiter.is_done());
        CHECK(m.try_lock());
        m.unlock();
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.joined() == "waiter3 newcomer4");
}

TEST_CASE("SYN-01 a free lock goes through the queue when the budget is spent, and is its taker's from the beginning") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        co_await yield();
        for (int i = 0; i < 64; ++i)
            const auto lock = co_await m.lock();
        auto newcomer = spawn(locks(t, m, "newcomer"));   // begins before this one resumes
        const auto before = turn_number();
        {
            const auto lock = co_await m.lock();
            CHECK(turn_number() == before + 1);
            t.note("main");
        }
        co_await newcomer;
    });
    CHECK(t.joined() == "main newcomer4");
}

TEST_CASE("SYN-02 unlocking a free mutex is refused; any task may unlock a locked one") {
    run([]() -> task<> {
        mutex m;
        CHECK(usage_of([&] { m.unlock(); }) == errc::not_locked);
        REQUIRE(m.try_lock());
        auto other = spawn([&]() -> task<> {
            m.unlock();
            co_return;
        });
        co_await other;
        CHECK_FALSE(m.is_locked());
        CHECK(usage_of([&] { m.unlock(); }) == errc::not_locked);
        const auto lock = co_await m.lock();
        CHECK(m.is_locked());
    });
}

TEST_CASE("SYN-03 a waiter cancelled in the turn in which it was handed the lock passes it on when it resumes") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto lock = co_await m.lock();
        auto a = spawn(locks(t, m, "a"));
        auto b = spawn(locks(t, m, "b"));
        co_await yield();
        lock.unlock();   // in turn 2: a has it, and resumes in 3
        a.cancel();
        CHECK_FALSE(m.try_lock());
        co_await yield();
        CHECK(end_of(a) == "cancelled");
        CHECK_FALSE(m.try_lock());   // b has it by now
        CHECK(t.empty());
        co_await b;
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.joined() == "b4");
}

TEST_CASE("SYN-03 one that passes on a lock that nobody waits for frees it; a request first, the lock goes elsewhere") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto lock = co_await m.lock();
        auto only = spawn(locks(t, m, "only"));
        co_await yield();
        lock.unlock();
        only.cancel();
        const auto ended = co_await wait(only);
        CHECK(end_of(only) == "cancelled");
        CHECK_FALSE(m.is_locked());

        lock = co_await m.lock();
        auto a = spawn(locks(t, m, "a"));
        auto b = spawn(locks(t, m, "b"));
        co_await yield();
        a.cancel();
        lock.unlock();
        const auto both = co_await wait(a, b);
        CHECK(end_of(a) == "cancelled");
        CHECK(end_of(b) == "value");
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.events().size() == 1);
}

TEST_CASE("SYN-04 a release doesn't wait for cancelled waiters at the head: the next live one has the lock one turn later") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto lock = co_await m.lock();
        const auto cleans_up = [&]() -> task<> {
            const auto left = co_await settled(m.lock());
            t.note(end_of(left) + std::to_string(turn_number()));
            for (int i = 0; i < 10; ++i)
                co_await yield();
        };
        auto a = spawn(cleans_up);
        auto b = spawn(cleans_up);
        auto c = spawn(locks(t, m, "c"));
        co_await yield();
        a.cancel();
        b.cancel();
        lock.unlock();   // in turn 2, before a and b have resumed
        const auto ended = co_await wait(a, b, c);
        CHECK_FALSE(m.is_locked());
    });
    CHECK(t.joined() == "cancelled3 cancelled3 c3");
}

TEST_CASE("SYN-04 whichever of four waiters are cancelled, before or after the hand-over, each other one has its turn") {
    for (unsigned which = 0; which < 16; ++which) {
        for (const bool before : {false, true}) {
            trace t;
            run([&]() -> task<> {
                mutex m;
                auto lock = co_await m.lock();
                std::vector<task_handle<>> all;
                for (const char* const name : {"a", "b", "c", "d"})
                    all.push_back(spawn(locks(t, m, name, 1)));
                co_await yield();
                if (!before)
                    lock.unlock();
                for (unsigned i = 0; i < 4; ++i)
                    if (which & (1u << i))
                        all[i].cancel();
                lock.unlock();
                const auto ended = co_await wait(all);
                CHECK_FALSE(m.is_locked());
            });
            INFO(which << " " << before << ": " << t.joined());
            std::string names;
            for (const std::string& event : t.events())
                names += event.substr(0, 1);
            std::string expected;
            for (unsigned i = 0; i < 4; ++i)
                if (!(which & (1u << i)))
                    expected += "abcd"[i];
            CHECK(names == expected);
        }
    }
}

TEST_CASE("SYN-17 a mutex destroyed while tasks wait is reported; its waiters get operation_canceled") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto m = std::make_unique<mutex>();
        REQUIRE(m->try_lock());
        const auto waits = [&m]() -> task<> { const auto lock = co_await m->lock(); };
        auto a = spawn(waits);
        auto b = spawn(waits);
        co_await yield();
        m.reset();
        REQUIRE(log.size() == 1);
        CHECK(log.reports()[0].what.find("mutex") != std::string::npos);
        co_await yield();
        CHECK(is_operation_canceled(a.error()));
        CHECK(is_operation_canceled(b.error()));
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-19 a guard unlocks when its task is cancelled inside, when it throws, and when it is moved from or over") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto inside = spawn([&]() -> task<> {
            const auto lock = co_await m.lock();
            co_await sleep_for(1h);
        });
        auto next = spawn(locks(t, m, "next"));
        co_await yield();
        inside.cancel();   // in turn 2; 3: it unwinds, 4: the next one has the lock
        co_await next;
        CHECK(end_of(inside) == "cancelled");
        CHECK_FALSE(m.is_locked());

        const auto throws = [&]() -> task<> {
            const auto lock = co_await m.lock();
            throw std::runtime_error("E");
        };
        const auto left = co_await settled(throws());
        CHECK(end_of(left) == "E");
        CHECK_FALSE(m.is_locked());

        mutex other;
        auto first = co_await m.lock();
        auto second = co_await other.lock();
        first = std::move(second);
        CHECK_FALSE(m.is_locked());
        CHECK(other.is_locked());
        CHECK_FALSE(bool(second));
        first.unlock();
        first.unlock();
        CHECK_FALSE(other.is_locked());
    });
    CHECK(t.joined() == "next4");
}

TEST_CASE("SYN-19 a guard's unlock never awaits: it wakes the next one in the turn after, also out of a callback") {
    trace t;
    run([&]() -> task<> {
        mutex m;
        auto lock = std::make_unique<mutex::guard>(co_await m.lock());
        auto waiter = spawn(locks(t, m, "waiter"));
        co_await yield();
        loop::current().call_soon([&] {
            lock.reset();
            t.note("released" + std::to_string(turn_number()));
        });
        co_await waiter;
    });
    CHECK(t.joined() == "released3 waiter4");
}

TEST_CASE("SYN-20 a mutex belongs to no loop before somebody has waited in it, then to that loop for life") {
    mutex m;
    REQUIRE(m.try_lock());
    m.unlock();
    run([&]() -> task<> { const auto lock = co_await m.lock(); });
    run([&]() -> task<> {
        auto lock = co_await m.lock();
        auto waiter = spawn([&]() -> task<> { const auto second = co_await m.lock(); });
        co_await yield();
        lock.unlock();
        co_await waiter;
    });
    const auto foreign = [&]() -> task<> {
        CHECK(usage_of([&] { (void)m.try_lock(); }) == errc::foreign_loop);
        const auto left = co_await settled(m.lock());
        CHECK(usage_of(left) == errc::foreign_loop);
        CHECK_FALSE(m.is_locked());
        co_await yield();
    };
    run(foreign);
    CHECK(usage_of([&] { (void)m.try_lock(); }) == errc::foreign_loop);
}

TEST_CASE("SYN-20 a locked mutex of another loop can't be awaited or unlocked from here") {
    mutex m;
    runner first;
    first.run([&]() -> task<> {
        REQUIRE(m.try_lock());
        spawn([&]() -> task<> { const auto lock = co_await m.lock(); });
        co_await yield();
    });
    std::optional<errc> unlocked;
    std::optional<errc> awaited;
    std::thread([&] {
        run([&]() -> task<> {
            unlocked = usage_of([&] { m.unlock(); });
            const auto left = co_await settled(m.lock());
            awaited = usage_of(left);
        });
    }).join();
    CHECK(unlocked == errc::foreign_loop);
    CHECK(awaited == errc::foreign_loop);
    CHECK(m.is_locked());
    first.run([&]() -> task<> {
        m.unlock();
        co_await yield();
        CHECK_FALSE(m.is_locked());
    });
}

TEST_CASE("SYN-47 a lock that is given up by hand under its guard leaves the guard empty: never are two inside") {
    run([]() -> task<> {
        mutex m;
        {
            auto lock = co_await m.lock();
            m.unlock();
            CHECK_FALSE(lock);
        }
        int inside = 0;
        int most = 0;
        const auto enters = [&]() -> task<> {
            const auto lock = co_await m.lock();
            most = std::max(most, ++inside);
            co_await yield();
            co_await yield();
            --inside;
        };
        co_await gather(enters(), enters());
        CHECK(most == 1);
        CHECK_FALSE(m.is_locked());
    });
}

TEST_CASE("SYN-47 a guard that was moved is the one that is emptied") {
    run([]() -> task<> {
        mutex m;
        auto first = co_await m.lock();
        auto second = std::move(first);
        m.unlock();
        CHECK_FALSE(second);
        REQUIRE(m.try_lock());
        second.unlock();
        CHECK(m.is_locked());
        m.unlock();
    });
}

TEST_CASE("SYN-47 a guard is moved, or told to unlock, while its task waits in a condition") {
    run([]() -> task<> {
        mutex m;
        condition c(m);
        mutex::guard lock = co_await m.lock();
        mutex::guard other;
        auto moves = spawn([&]() -> task<> {
            const auto held = co_await m.lock();
            other = std::move(lock);
            c.notify();
        });
        co_await c.wait();
        co_await moves;
        CHECK_FALSE(lock);
        CHECK(other);
        CHECK(m.is_locked());
        auto unlocks = spawn([&]() -> task<> {
            const auto held = co_await m.lock();
            other.unlock();
            CHECK(m.is_locked());
            c.notify();
        });
        co_await c.wait();
        co_await unlocks;
        CHECK_FALSE(other);
        CHECK_FALSE(m.is_locked());
    });
}
