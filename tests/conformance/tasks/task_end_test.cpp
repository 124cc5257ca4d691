// task_end_test.cpp - who hears of a task's end, when and in which order.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <memory>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TSK-10 of three who wait for a task, one is cancelled: the task and the others don't notice") {
    run([]() -> task<> {
        event go;
        const auto target = [&]() -> task<int> {
            co_await go.wait();
            co_return 7;
        };
        auto h = spawn(target);
        const auto shields = [h]() -> task<int> {
            const int value = co_await shield(h);
            co_return value;
        };
        const auto waits = [h]() -> task<int> {
            co_await wait(h);
            co_return h.get();
        };
        auto first = spawn(shields);
        auto second = spawn(shields);
        auto third = spawn(waits);
        auto fourth = spawn(waits);
        co_await yield();
        CHECK(second.cancel());
        CHECK(fourth.cancel());
        const auto of_second = co_await settled(second);
        CHECK(second.is_cancelled());
        const auto of_fourth = co_await settled(fourth);
        CHECK(fourth.is_cancelled());
        CHECK_FALSE(h.is_done());
        CHECK(h.cancelling() == 0);

        go.set();
        const int of_first = co_await first;
        const int of_third = co_await third;
        CHECK(of_first == 7);
        CHECK(of_third == 7);
    });
}

TEST_CASE("TSK-10 wait and shield wake two turns after the end, and wait on a finished task as well") {
    run([]() -> task<> {
        trace t;
        event go;
        const auto target = [&]() -> task<> {
            co_await go.wait();
            t.note("end" + std::to_string(turn_number()));
        };
        auto h = spawn(target);
        const auto joins = [&t, h]() -> task<> {
            co_await h;
            t.note("join" + std::to_string(turn_number()));
        };
        const auto shields = [&t, h]() -> task<> {
            co_await shield(h);
            t.note("shield" + std::to_string(turn_number()));
        };
        const auto waits = [&t, h]() -> task<> {
            co_await wait(h);
            t.note("wait" + std::to_string(turn_number()));
            co_await shield(h);
            t.note("shield" + std::to_string(turn_number()));
            co_await wait(h);
            t.note("wait" + std::to_string(turn_number()));
        };
        spawn(shields);
        auto last = spawn(waits);
        spawn(joins);
        co_await yield();
        go.set();   // in turn 2
        co_await last;
        CHECK(t.joined() == "end3 join4 shield5 wait5 shield5 wait7");
    });
}

TEST_CASE("TSK-11 on_done callbacks run in order of registration, one turn after the end") {
    trace t;
    run([&]() -> task<> {
        const auto target = [&]() -> task<> {
            t.note("end" + std::to_string(turn_number()));
            co_return;
        };
        auto h = spawn(target);
        const auto mark = [&t](const char* name) { t.note(name + std::to_string(turn_number())); };
        h.on_done([&] { mark("a"); });
        h.on_done([&, id = h.id()](const task_ref& done) {
            CHECK(done.is_done());
            CHECK(done.id() == id);
            mark("b");
        });
        auto cancelled_one = h.on_done([&] { mark("never"); });
        h.on_done([&] { mark("c"); });
        CHECK(cancelled_one.cancel());
        co_await yield();
        h.on_done([&] { mark("late"); });   // in turn 2, after the end
        co_await yield();
        co_await yield();
    });
    CHECK(t.joined() == "end2 a3 b3 c3 late3");
}

TEST_CASE("TSK-12 a task may drop the last handle to itself") {
    lifetimes of_capture;
    trace t;
    run([&]() -> task<> {
        auto only = std::make_shared<task_handle<>>();
        const auto drops = [&t, only, captured = counted(of_capture)]() -> task<> {
            co_await yield();
            *only = {};
            t.note("dropped");
            co_await yield();
            t.note("ended");
        };
        *only = spawn(drops);
        only.reset();
        co_await sleep_for(1ms);
        while (t.events().size() < 2)
            co_await yield();
    });
    CHECK(t.joined() == "dropped ended");
    CHECK(of_capture.alive() == 0);
}

TEST_CASE("TSK-13 what is thrown before the first suspension shows at the await, not at spawn") {
    run([]() -> task<> {
        bool began = false;
        const auto fails_at_once = [&began]() -> task<> {
            began = true;
            throw std::runtime_error("E");
            co_return;
        };
        auto h = spawn(fails_at_once);
        CHECK_FALSE(began);
        const auto left = co_await settled(h);
        CHECK(began);
        CHECK(text_of(left.error()) == "E");
    });
}

TEST_CASE("TSK-51 what a task was made of goes at its end, though its handle lives") {
    lifetimes of_function;
    lifetimes of_argument;
    run([&]() -> task<> {
        auto h = spawn([own = counted(of_function)](counted) -> task<int> { co_return 7; }, counted(of_argument));
        const int value = co_await h;
        CHECK(value == 7);
        CHECK(of_function.alive() == 0);
        CHECK(of_argument.alive() == 0);
        CHECK(h.is_done());
    });
}
