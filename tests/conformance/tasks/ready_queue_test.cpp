// ready_queue_test.cpp - order: first in, first out, and a turn runs exactly what stood in the queue at its beginning.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>
#include <support/stack_meter.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RDY-01 tasks run in the order they were spawned, and again after each has yielded") {
    trace t;
    run([&]() -> task<> {
        const auto marks_twice = [&t](std::string name) -> task<> {
            t.note(name + std::to_string(turn_number()));
            co_await yield();
            t.note(name + std::to_string(turn_number()));
        };
        auto a = spawn(marks_twice, "a");
        auto b = spawn(marks_twice, "b");
        auto c = spawn(marks_twice, "c");
        co_await c;
    });
    CHECK(t.joined() == "a2 b2 c2 a3 b3 c3");
}

TEST_CASE("RDY-02 what is added during a turn runs in the next one") {
    trace t;
    run([&]() -> task<> {
        const auto mark = [&t](const char* name) { t.note(name + std::to_string(turn_number())); };
        loop::current().call_soon([&] {
            mark("a");
            loop::current().call_soon([&] {
                mark("c");
                loop::current().post([&] { mark("d"); });
            });
        });
        loop::current().call_soon([&] { mark("b"); });
        for (int i = 0; i < 4; ++i)
            co_await yield();
    });
    CHECK(t.joined() == "a2 b2 c3 d4");
}

TEST_CASE("RDY-03 a cancelled callback is skipped and its function destroyed at once, also in the turn in which it stands") {
    trace t;
    run([&]() -> task<> {
        lifetimes of_first;
        lifetimes of_third;
        auto first = loop::current().call_soon([&t, captured = counted(of_first)] { t.note("first"); });
        callback_handle third;
        auto second = loop::current().call_soon([&] {
            t.note("second");
            CHECK(third.cancel());
            CHECK(of_third.alive() == 0);
        });
        third = loop::current().call_soon([&t, captured = counted(of_third)] { t.note("third"); });
        loop::current().call_soon([&t] { t.note("fourth"); });

        CHECK(first.is_pending());
        CHECK(of_first.alive() == 1);
        CHECK(first.cancel());
        CHECK(of_first.alive() == 0);
        CHECK_FALSE(first.is_pending());
        CHECK_FALSE(first.cancel());

        CHECK(of_third.alive() == 1);
        co_await yield();
        CHECK_FALSE(second.is_pending());
        CHECK_FALSE(second.cancel());
        CHECK_FALSE(third.cancel());
    });
    CHECK(t.joined() == "second fourth");
}

TEST_CASE("RDY-03 a callback that cancels itself goes on, and is told that it is too late") {
    bool late = false;
    run([&]() -> task<> {
        callback_handle self;
        lifetimes of_capture;
        self = loop::current().call_soon([&, captured = counted(of_capture)] { late = !self.cancel() && of_capture.alive() == 1; });
        co_await yield();
        CHECK(of_capture.alive() == 0);
    });
    CHECK(late);
}

TEST_CASE("RDY-04 a callback that throws is reported once, and the others of its turn still run") {
    trace t;
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        loop::current().call_soon([&] { t.note("a" + std::to_string(turn_number())); });
        loop::current().call_soon([] { throw std::runtime_error("E"); });
        loop::current().call_soon([] { throw 42; });
        loop::current().call_soon([] { throw cancelled{}; });
        loop::current().call_soon([&] { t.note("b" + std::to_string(turn_number())); });
        co_await yield();
        t.note("main");
    });
    CHECK(t.joined() == "a2 b2 main");
    CHECK(log.joined() == "E, unknown, cancelled");
    for (const auto& report : log.reports())
        CHECK(report.task_id == 0);
}

TEST_CASE("RDY-05 two tasks that wake each other leave each turn to a third as well") {
    run([]() -> task<> {
        event ping;
        event pong;
        bool over = false;
        const auto answers = [&over](event& mine, event& other) -> task<> {
            while (!over) {
                co_await mine.wait();
                mine.clear();
                other.set();
            }
        };
        auto a = spawn(answers, std::ref(ping), std::ref(pong));
        auto b = spawn(answers, std::ref(pong), std::ref(ping));
        co_await yield();
        ping.set();

        std::vector<std::uint64_t> gaps;
        for (int i = 0; i < 100; ++i) {
            const auto before = turn_number();
            co_await yield();
            gaps.push_back(turn_number() - before);
        }
        CHECK(std::all_of(gaps.begin(), gaps.end(), [](std::uint64_t gap) { return gap == 1; }));
        over = true;
        ping.set();
        pong.set();
        co_await a;
        co_await b;
    });
}

TEST_CASE("RDY-06 yield, sleeps that are over before they begin, and an immediate timer go through the queue") {
    trace t;
    run([&]() -> task<> {
        const auto marks = [&t](std::string name, auto make_sleep) -> task<> {
            t.note(name + std::to_string(turn_number()));
            co_await make_sleep();
            t.note(name + std::to_string(turn_number()));
        };
        const auto past = loop::current().time() - 1h;
        const auto a = spawn(marks, "a", [] { return yield(); });
        const auto b = spawn(marks, "b", [] { return sleep_for(0s); });
        const auto c = spawn(marks, "c", [past] { return sleep_until(past); });
        const auto d = spawn(marks, "d", [] { return yield(); });
        co_await d;
    });
    CHECK(t.joined() == "a2 b2 c2 d2 a3 b3 c3 d3");
}

TEST_CASE("RDY-07 a finished task may be awaited a million times in constant stack, each 65th await through the queue") {
    const auto count = scaled(1'000'000);
    stack_meter stack;
    run([&]() -> task<> {
        const auto seven = []() -> task<int> { co_return 7; };
        auto h = spawn(seven);
        co_await h;
        // The budget of 64 begins anew with each resumption: from here on.
        const auto turns = turn_number();
        std::size_t sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
            sum += static_cast<std::size_t>(co_await h);
            stack.sample();
        }
        CHECK(sum == 7 * count);
        CHECK(turn_number() - turns == count / 65);
    });
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("RDY-07 a million children awaited in place, one after another, take constant stack and no turn") {
    const auto count = scaled(1'000'000);
    stack_meter stack;
    run([&]() -> task<> {
        const auto one = [&stack]() -> task<std::size_t> {
            stack.sample();
            co_return std::size_t(1);
        };
        const auto turns = turn_number();
        std::size_t sum = 0;
        for (std::size_t i = 0; i < count; ++i)
            sum += co_await one();
        CHECK(sum == count);
        CHECK(turn_number() == turns);
    });
    CHECK(stack.most() < stack_meter::enough);
}

namespace {

task<std::size_t> nested(std::size_t depth, stack_meter& stack) {
    stack.sample();
    if (depth == 0) {
        co_await yield();
        co_return std::size_t(0);
    }
    const std::size_t below = co_await nested(depth - 1, stack);
    stack.sample();
    co_return below + 1;
}

}

TEST_CASE("RDY-07 a chain of a million children, each awaiting the next, begins and ends in constant stack") {
    const auto depth = scaled(1'000'000);
    stack_meter stack;
    const auto main = [&]() -> task<std::size_t> {
        const std::size_t reached = co_await nested(depth, stack);
        co_return reached;
    };
    CHECK(run(main) == depth);
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("RDY-08 a million callbacks run once each, in order, and their memory is given back") {
    const auto count = scaled(1'000'000);
    run([&]() -> task<> {
        lifetimes of_captures;
        std::vector<std::size_t> order;
        const auto queue_them_all = [&] {
            order.clear();
            order.reserve(count);
            for (std::size_t i = 0; i < count; ++i)
                loop::current().call_soon([&order, i, captured = counted(of_captures)] { order.push_back(i); });
        };
        queue_them_all();
        co_await yield();
        const auto after_first = allocated_bytes();

        queue_them_all();
        CHECK(of_captures.alive() == static_cast<int>(count));
        co_await yield();
        REQUIRE(order.size() == count);
        CHECK(std::is_sorted(order.begin(), order.end()));
        CHECK(order.front() == 0);
        CHECK(order.back() == count - 1);
        CHECK(of_captures.alive() == 0);
        CHECK(allocated_bytes() < after_first + 10'000);
    });
}

TEST_CASE("RDY-09 a task spawned in a step or a callback begins in the next turn; who spawned it goes on first") {
    trace t;
    run([&]() -> task<> {
        const auto child = [&t](std::string name) -> task<> {
            t.note(name + std::to_string(turn_number()));
            co_return;
        };
        const auto parent = [&]() -> task<> {
            spawn(child, "child");
            t.note("parent" + std::to_string(turn_number()));
            co_return;
        };
        spawn(parent);
        loop::current().call_soon([&] {
            spawn(child, "of-callback");
            t.note("callback" + std::to_string(turn_number()));
        });
        for (int i = 0; i < 3; ++i)
            co_await yield();
    });
    CHECK(t.joined() == "parent2 callback2 child3 of-callback3");
}

TEST_CASE("RDY-10 the end of a task wakes its joiners in the order they joined, one turn later") {
    trace t;
    run([&]() -> task<> {
        event go;
        const auto target = [&]() -> task<int> {
            co_await go.wait();
            t.note("end" + std::to_string(turn_number()));
            co_return 7;
        };
        auto h = spawn(target);
        const auto joiner = [&t, h](std::string name) -> task<> {
            const int value = co_await h;
            t.note(name + std::to_string(value) + "@" + std::to_string(turn_number()));
        };
        auto a = spawn(joiner, "a");
        auto b = spawn(joiner, "b");
        auto c = spawn(joiner, "c");
        co_await yield();
        go.set();
        co_await c;
    });
    CHECK(t.joined() == "end3 a7@4 b7@4 c7@4");
}
