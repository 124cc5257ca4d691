// cancel_join_test.cpp - joins and requests: they go to the joined task, and each joiner learns whose request it was.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Joins, and notes name and turn when that ends.
task<> joins(trace& t, std::string name, task_handle<> target) {
    const auto left = co_await settled(target);
    t.note(name + ":" + end_of(left) + std::to_string(turn_number()));
    left.rethrow();
}

}

TEST_CASE("CAN-11 a task that catches the cancel and returns is done with that value, not cancelled") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<int> {
            const auto left = co_await settled(sleep_for(1h));
            co_return left.is_cancelled() ? 7 : 0;
        });
        co_await yield();
        h.cancel();
        const int value = co_await h;
        CHECK(value == 7);
        CHECK(h.is_done());
        CHECK_FALSE(h.is_cancelled());
        CHECK(h.cancelling() == 1);
    });
}

TEST_CASE("CAN-11 who joins a task that others cancelled gets task_cancelled, in each form, never its own cancelled") {
    hook_log log;
    run(run_options().on_exception(log.hook()), []() -> task<> {
        const auto sleeps = []() -> task<int> {
            co_await sleep_for(1h);
            co_return 7;
        };
        auto h = spawn(sleeps);
        co_await yield();
        h.cancel();
        const auto joined = co_await settled(h);
        CHECK(end_of(joined) == "task_cancelled");
        const auto again = co_await settled(h);
        CHECK(end_of(again) == "task_cancelled");
        const auto shielded = co_await settled(shield(h));
        CHECK(end_of(shielded) == "task_cancelled");
        CHECK_THROWS_AS(h.get(), task_cancelled);
        const auto moved = co_await settled(std::move(h));
        CHECK(end_of(moved) == "task_cancelled");
        CHECK(this_task::handle().cancelling() == 0);

        // It is an error like others: a task that lets it out has failed, and is not cancelled.
        auto target = spawn(sleeps);
        auto joiner = spawn([&]() -> task<> { co_await target; });
        co_await yield();
        target.cancel();
        const auto waited = co_await wait(joiner);
        CHECK(end_of(joiner) == "task_cancelled");
        CHECK_FALSE(joiner.is_cancelled());
    });
    CHECK(log.empty());
}

TEST_CASE("CAN-12 a task that catches the cancel and throws ends with that error") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            throw std::runtime_error("E");
        });
        co_await yield();
        h.cancel();
        const auto left = co_await settled(h);
        CHECK(end_of(left) == "E");
        CHECK(end_of(h) == "E");
    });
}

TEST_CASE("CAN-18 a request to a joiner goes to the joined task, and is the joiner's own cancelled a turn after its end") {
    trace t;
    run([&]() -> task<> {
        auto target = spawn(asleep(t, "target"));
        auto joiner = spawn(joins(t, "joiner", target));
        co_await yield();
        CHECK(joiner.cancel());
        CHECK(joiner.cancelling() == 1);
        CHECK(target.cancelling() == 1);
        const auto ended = co_await wait(joiner);
        CHECK(target.is_cancelled());
        CHECK(joiner.is_cancelled());
    });
    CHECK(t.joined() == "target:cancelled3 joiner:cancelled4");
}

TEST_CASE("CAN-18 the joiner waits until the task has ended, however often it is asked, and gets the value if the task gives one") {
    trace t;
    run([&]() -> task<> {
        auto target = spawn([&]() -> task<int> {
            for (int i = 0; i < 3; ++i) {
                const auto left = co_await settled(sleep_for(1h));
                t.note(end_of(left) + std::to_string(turn_number()));
            }
            co_return 7;
        });
        auto joiner = spawn([&]() -> task<> {
            const int value = co_await target;
            t.note(std::to_string(value) + "@" + std::to_string(turn_number()));
            const auto left = co_await settled(yield());
            t.note(end_of(left));   // the requests were the target's to take
        });
        co_await yield();
        for (int i = 0; i < 3; ++i) {
            joiner.cancel();
            co_await yield();
        }
        CHECK(target.cancelling() == 3);
        co_await joiner;
        CHECK(joiner.cancelling() == 3);
    });
    CHECK(t.joined() == "cancelled3 cancelled4 cancelled5 7@6 value");
}

TEST_CASE("CAN-18 of several joiners the one that was asked gets cancelled, the others task_cancelled") {
    trace t;
    run([&]() -> task<> {
        auto target = spawn(asleep(t, "target"));
        std::vector<task_handle<>> joiners;
        for (const char* const name : {"a", "b", "c"})
            joiners.push_back(spawn(joins(t, name, target)));
        co_await yield();
        joiners[1].cancel();
        const auto ended = co_await wait(joiners);
        CHECK(end_of(joiners[0]) == "task_cancelled");
        CHECK(end_of(joiners[1]) == "cancelled");
        CHECK(end_of(joiners[2]) == "task_cancelled");
    });
    CHECK(t.joined() == "target:cancelled3 a:task_cancelled4 b:cancelled4 c:task_cancelled4");
}

TEST_CASE("CAN-18 a request that was there when the join began goes through it") {
    trace t;
    run([&]() -> task<> {
        auto target = spawn(asleep(t, "target"));
        co_await yield();
        auto joiner = spawn([&]() -> task<> {
            this_task::handle().cancel();
            co_await joins(t, "joiner", target);
        });
        const auto ended = co_await wait(joiner);
        CHECK(joiner.is_cancelled());
        CHECK(joiner.cancelling() == 1);
    });
    CHECK(t.joined() == "target:cancelled4 joiner:cancelled5");
}

TEST_CASE("CAN-18 a request through the join after another's to the task: the cancel is the joiner's own") {
    run([]() -> task<> {
        trace t;
        auto target = spawn(asleep(t, "target"));
        auto joiner = spawn(joins(t, "joiner", target));
        auto other = spawn(joins(t, "other", target));
        co_await yield();
        target.cancel();
        joiner.cancel();
        const auto ended = co_await wait(joiner, other);
        CHECK(t.joined() == "target:cancelled3 joiner:cancelled4 other:task_cancelled4");
        CHECK(target.cancelling() == 2);
        CHECK(end_of(other) == "task_cancelled");
    });
}

TEST_CASE("CAN-18 a request between the task's end and the joiner's resumption is the joiner's; the outcome stays in the handle") {
    run([]() -> task<> {
        event go;
        trace t;
        auto ends = spawn([&]() -> task<int> {
            co_await go.wait();
            co_return 7;
        });
        auto fails = spawn([&]() -> task<int> {
            co_await go.wait();
            throw std::runtime_error("E");
        });
        const auto takes = [](task_handle<int> h) -> task<> { co_await h; };
        auto a = spawn(takes, ends);
        auto b = spawn(takes, fails);
        co_await yield();
        go.set();
        co_await yield();
        CHECK(ends.is_done());
        CHECK(a.cancel());
        CHECK(b.cancel());
        CHECK(ends.cancelling() == 0);
        co_await yield();
        CHECK(a.is_cancelled());
        CHECK(b.is_cancelled());
        CHECK(ends.get() == 7);
        CHECK(end_of(fails) == "E");
    });
}

TEST_CASE("CAN-18 the join of a finished task delivers no request, and its cancelled end is another's") {
    run([]() -> task<> {
        trace t;
        auto target = spawn(asleep(t, "target"));
        co_await yield();
        target.cancel();
        co_await yield();
        CHECK(target.is_cancelled());
        this_task::handle().cancel();
        const auto joined = co_await settled(target);
        CHECK(end_of(joined) == "task_cancelled");
        const auto left = co_await settled(yield());
        CHECK(left.is_cancelled());
    });
}

TEST_CASE("CAN-18 along a chain of joins a request takes one turn to the leaf and then one for each link") {
    trace t;
    run([&]() -> task<> {
        auto last = spawn(asleep(t, "leaf"));
        for (const char* const name : {"a", "b", "c"})
            last = spawn(joins(t, name, last));
        co_await yield();
        last.cancel();
        const auto ended = co_await wait(last);
    });
    CHECK(t.joined() == "leaf:cancelled3 a:cancelled4 b:cancelled5 c:cancelled6");
}

TEST_CASE("CAN-18 a request walks a chain of a hundred thousand joins in constant stack") {
    // Not scaled: a hundredth would have room on the stack.
    constexpr std::size_t count = 100'000;
    run([]() -> task<> {
        auto leaf = spawn([]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            CHECK(left.is_cancelled());
        });
        const auto link = [](task_handle<> before) -> task<> { co_await before; };
        task_handle<> last = leaf;
        for (std::size_t i = 0; i < count; ++i)
            last = spawn(link, std::move(last));
        co_await yield();
        const auto before = turn_number();
        last.cancel();
        CHECK(leaf.cancelling() == 1);
        co_await last;   // nobody throws: the leaf has swallowed it
        CHECK(turn_number() - before == count + 2);
    });
}

TEST_CASE("CAN-18 tasks that join each other in a ring all end when one of them is cancelled") {
    for (const std::size_t size : {2u, 3u, 7u, 100u}) {
        run([size]() -> task<> {
            std::vector<task_handle<>> ring(size);
            const auto joins_next = [&ring](std::size_t next) -> task<> { co_await ring[next]; };
            for (std::size_t i = 0; i < size; ++i)
                ring[i] = spawn(joins_next, (i + 1) % size);
            co_await yield();
            // From outside the ring as well.
            auto outside = spawn(joins_next, 0);
            co_await yield();
            CHECK(outside.cancel());
            const auto ended = co_await wait(ring);
            for (const task_handle<>& h : ring)
                CHECK(h.is_cancelled());
            co_await yield();
            CHECK(outside.is_cancelled());
        });
    }
}

TEST_CASE("CAN-18 a shield or a wait between the two keeps the request from the joined task") {
    trace t;   // the target notes its end after main's
    run([&t]() -> task<> {
        auto target = spawn(asleep(t, "target"));
        auto shields = spawn([&]() -> task<> { co_await shield(target); });
        auto waits = spawn([&]() -> task<> { const auto ended = co_await wait(target); });
        auto joiner = spawn(joins(t, "joiner", shields));
        co_await yield();
        joiner.cancel();
        waits.cancel();
        co_await yield();
        CHECK(shields.is_cancelled());
        CHECK(waits.is_cancelled());
        CHECK_FALSE(target.is_done());
        CHECK(target.cancelling() == 0);
        co_await yield();
        CHECK(t.joined() == "joiner:cancelled4");
    });
}
