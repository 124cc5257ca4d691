// destroyed_test.cpp - primitives that go while tasks wait in them, or after these were woken and before they resume.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/operation_canceled.hpp>

#include <cstddef>
#include <memory>
#include <string>

using namespace corun;
using namespace testing;

namespace {

task<> takes(queue<int>* q) { (void)co_await q->get(); }
task<> puts_two(queue<int>* q) { co_await q->put(2); }
task<> locks(mutex* m) { const auto lock = co_await m->lock(); }
task<> acquires(semaphore* s) { const auto permit = co_await s->acquire(); }
task<> meets(barrier* b) { (void)co_await b->wait(); }

task<> some_turns() {
    for (int i = 0; i < 6; ++i)
        co_await yield();
}

}

TEST_CASE("SYN-41 a mutex or a semaphore destroyed after it woke a waiter ends that wait, and is reported") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto m = std::make_unique<mutex>();
        auto held = co_await m->lock();
        auto waiter = spawn(locks, m.get());
        auto behind = spawn(locks, m.get());
        co_await yield();
        held.unlock();
        m.reset();
        REQUIRE(log.size() == 1);
        co_await some_turns();
        CHECK(is_operation_canceled(waiter.error()));
        CHECK(is_operation_canceled(behind.error()));

        auto s = std::make_unique<semaphore>(0);
        auto acquirer = spawn(acquires, s.get());
        auto cancelled_one = spawn(acquires, s.get());
        co_await yield();
        s->release();
        s->release();
        cancelled_one.cancel();
        s.reset();
        CHECK(log.size() == 2);
        co_await some_turns();
        CHECK(is_operation_canceled(acquirer.error()));
        CHECK(end_of(cancelled_one) == "cancelled");
    });
    CHECK(log.size() == 2);
}

TEST_CASE("SYN-41 a semaphore destroyed while a taker goes through the queue for its budget ends that wait") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto s = std::make_unique<semaphore>(1000);
        const auto takes_many = [](semaphore* from) -> task<> {
            for (int i = 0; i < 1000; ++i) {
                auto permit = co_await from->acquire();
                permit.keep();
            }
        };
        auto taker = spawn(takes_many, s.get());
        co_await yield();
        REQUIRE_FALSE(taker.is_done());
        REQUIRE(s->available() > 0);
        s.reset();
        co_await some_turns();
        CHECK(is_operation_canceled(taker.error()));
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-42 a queue destroyed after it woke a getter or a putter ends that wait, and is reported") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto q = std::make_unique<queue<int>>(1);
        auto getter = spawn(takes, q.get());
        co_await yield();
        REQUIRE(q->try_put(1));
        q.reset();
        CHECK(log.size() == 1);
        q = std::make_unique<queue<int>>(1);
        REQUIRE(q->try_put(1));
        auto putter = spawn(puts_two, q.get());
        co_await yield();
        CHECK(q->try_get() == 1);
        q.reset();
        CHECK(log.size() == 2);
        co_await some_turns();
        CHECK(is_operation_canceled(getter.error()));
        CHECK(is_operation_canceled(putter.error()));
    });
    CHECK(log.size() == 2);
}

TEST_CASE("SYN-42 a queue may go as soon as it has been shut down: those who waited get queue_shut_down") {
    hook_log log;
    std::string ends;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto q = std::make_unique<queue<int>>(1);
        const auto works = [&ends](queue<int>* from) -> task<> {
            try {
                for (;;)
                    (void)co_await from->get();
            } catch (const queue_shut_down&) {
                ends += "getter ";
            }
        };
        auto getter = spawn(works, q.get());
        auto cancelled_one = spawn(works, q.get());
        co_await yield();
        q->shutdown();
        cancelled_one.cancel();
        q.reset();
        co_await some_turns();
        CHECK(end_of(cancelled_one) == "cancelled");
    });
    CHECK(ends == "getter ");
    CHECK(log.empty());
}

TEST_CASE("SYN-43 a waiter of a condition that is destroyed has the lock again before operation_canceled leaves") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        mutex m;
        auto c = std::make_unique<condition>(m);
        bool locked = false;
        const auto waits = [&]() -> task<> {
            const auto lock = co_await m.lock();
            const auto end = co_await settled(c->wait());
            CHECK(is_operation_canceled(end.error()));
            locked = m.is_locked() && static_cast<bool>(lock);
            co_await yield();
        };
        SECTION("while it waits") {
            auto waiter = spawn(waits);
            co_await some_turns();
            c.reset();
            co_await waiter;
        }
        SECTION("after it was notified") {
            auto waiter = spawn(waits);
            co_await some_turns();
            {
                const auto held = co_await m.lock();
                c->notify();
                c.reset();
            }
            co_await waiter;
        }
        SECTION("while it waits for the lock") {
            auto waiter = spawn(waits);
            co_await some_turns();
            {
                const auto held = co_await m.lock();
                c->notify();
                co_await some_turns();
                c.reset();
                co_await some_turns();
                CHECK_FALSE(locked);
            }
            co_await waiter;
        }
        CHECK(locked);
        CHECK_FALSE(m.is_locked());
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].what.find("condition") != std::string::npos);
}

TEST_CASE("SYN-43 a request to the waiter of a condition that is destroyed is cancelled, with the lock") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        mutex m;
        auto c = std::make_unique<condition>(m);
        auto waiter = spawn([&]() -> task<> {
            const auto lock = co_await m.lock();
            co_await c->wait();
        });
        co_await some_turns();
        waiter.cancel();
        c.reset();
        co_await some_turns();
        CHECK(end_of(waiter) == "cancelled");
        CHECK_FALSE(m.is_locked());
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-44 a condition and its mutex may go together: their waiters get operation_canceled, and hold nothing") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        struct both {
            mutex m;
            condition c{m};
        };
        auto b = std::make_unique<both>();
        const auto waits = [](both* of) -> task<> {
            auto lock = co_await of->m.lock();
            const auto end = co_await settled(of->c.wait());
            CHECK(is_operation_canceled(end.error()));
            CHECK_FALSE(lock);
        };
        auto first = spawn(waits, b.get());
        auto second = spawn(waits, b.get());
        co_await some_turns();
        {
            const auto held = co_await b->m.lock();
            b->c.notify();
        }
        b.reset();
        co_await first;
        co_await second;
    });
    CHECK(log.size() == 1);
}

TEST_CASE("SYN-44 a guard whose mutex is destroyed holds nothing") {
    run([]() -> task<> {
        auto m = std::make_unique<mutex>();
        auto lock = co_await m->lock();
        REQUIRE(lock);
        m.reset();
        CHECK_FALSE(lock);
    });
}

TEST_CASE("SYN-45 a barrier destroyed while tasks wait, or after they may pass, ends their waits") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        auto b = std::make_unique<barrier>(3);
        auto first = spawn(meets, b.get());
        auto second = spawn(meets, b.get());
        co_await some_turns();
        const std::size_t before = log.size();
        SECTION("while they wait") { b.reset(); }
        SECTION("after they may pass") {
            const std::size_t number = co_await b->wait();
            CHECK(number == 2);
            b.reset();
        }
        CHECK(log.size() == before + 1);
        co_await some_turns();
        CHECK(is_operation_canceled(first.error()));
        CHECK(is_operation_canceled(second.error()));
    });
    CHECK(log.size() == 1);
}
