// run_shutdown_test.cpp - what run() does with what main leaves behind.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RUN-04 leftovers are cancelled in creation order and run to their end before run returns") {
    trace t;
    run([&]() -> task<> {
        const auto sleeper = [&t](std::string name) -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            t.note(name + (end.is_cancelled() ? " cancelled" : " slept"));
            co_await yield();
            t.note(name + " ended");
        };
        for (const char* const name : {"a", "b", "c"})
            spawn(sleeper, name);
        co_await yield();
        t.note("main");
    });
    t.note("returned");
    CHECK(t.joined() == "main a cancelled b cancelled c cancelled a ended b ended c ended returned");
}

TEST_CASE("RUN-04 a leftover that never began doesn't begin; what it was given is destroyed") {
    bool began = false;
    lifetimes of_argument;
    run([&]() -> task<> {
        const auto leftover = [&began](counted) -> task<> {
            began = true;
            co_return;
        };
        spawn(leftover, counted(of_argument));
        co_return;
    });
    CHECK_FALSE(began);
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("RUN-05 run doesn't return before a leftover has had the answer of a helper thread") {
    testing::semaphore may_end(0);
    trace t;
    run(run_options().real_threads(true), [&]() -> task<> {
        testing::semaphore has_begun(0);
        const auto job = [&] {
            has_begun.release();
            may_end.acquire();
            return 7;
        };
        const auto leftover = [&t, job]() -> task<> {
            const int answer = co_await to_thread(job);
            t.note("answer " + std::to_string(answer));
        };
        spawn(leftover);
        co_await yield();
        has_begun.acquire();
        may_end.release();
        t.note("main");
    });
    t.note("returned");
    CHECK(t.joined() == "main answer 7 returned");
}

TEST_CASE("RUN-05 main itself gets the answer of a helper thread, and its exception") {
    const auto answers = []() -> task<int> {
        const auto job = [] { return 7; };
        const int answer = co_await to_thread(job);
        co_return answer;
    };
    CHECK(run(answers) == 7);

    const auto fails = []() -> task<> {
        const auto job = [] { throw std::runtime_error("E"); };
        co_await to_thread(job);
    };
    CHECK_THROWS_WITH(run(fails), "E");
}

TEST_CASE("RUN-06 a leftover that catches the cancel may sleep; run waits for it and returns main's value") {
    bool ended = false;
    const int value = run([&]() -> task<int> {
        spawn([&]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            const auto before = loop::current().time();
            co_await sleep_for(10ms);
            ended = end.is_cancelled() && loop::current().time() - before >= 10ms;
        });
        co_await yield();
        co_return 7;
    });
    CHECK(value == 7);
    CHECK(ended);
}

TEST_CASE("RUN-07 an exception of a leftover goes to the hook once, with the task, and main's value is returned") {
    hook_log log;
    std::uint64_t id = 0;
    const int value = run(run_options().on_exception(log.hook()), [&]() -> task<int> {
        auto leftover = spawn([]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            throw std::runtime_error("E2");
        });
        leftover.set_name("untidy");
        id = leftover.id();
        co_await yield();
        co_return 7;
    });
    CHECK(value == 7);
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].what == "E2");
    CHECK(log.reports()[0].task_id == id);
    CHECK(log.reports()[0].task_name == "untidy");
}

TEST_CASE("RUN-07 exceptions of several leftovers are reported in creation order, cancels are not") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        // Each ends a turn later than the one created after it.
        for (int i = 0; i < 4; ++i) {
            const auto leftover = [i]() -> task<> {
                const auto end = co_await settled(sleep_for(1h));
                for (int turn = i; turn < 3; ++turn)
                    co_await yield();
                if (i == 2)
                    throw cancelled{};
                throw std::runtime_error("E" + std::to_string(i));
            };
            spawn(leftover);
        }
        co_await yield();
    });
    CHECK(log.joined() == "E0, E1, E3");
}

TEST_CASE("RUN-08 a task that a leftover spawns while it is cancelled is cancelled too, and run ends") {
    trace t;
    run([&]() -> task<> {
        struct generation {
            static task<> live(trace& t, int number) {
                const auto end = co_await settled(sleep_for(1h));
                t.note(std::to_string(number) + (end.is_cancelled() ? " cancelled" : " slept"));
                if (number < 3) {
                    spawn(&live, std::ref(t), number + 1);
                    co_await yield();
                }
            }
        };
        spawn(&generation::live, std::ref(t), 1);
        co_await yield();
    });
    CHECK(t.joined() == "1 cancelled 2 cancelled 3 cancelled");
}

TEST_CASE("RUN-09 shutdown_grace ends the wait for a leftover that swallows the cancel; the report names it") {
    hook_log log;
    lifetimes of_local;
    event never_set;
    time_point began;
    time_point gave_up;
    const auto notes_time = [&gave_up, tell = log.hook()](const exception_report& r) {
        gave_up = loop::current().time();
        tell(r);
    };
    const int value = run(run_options().on_exception(notes_time).shutdown_grace(50ms), [&]() -> task<int> {
        began = loop::current().time();
        auto leftover = spawn([&]() -> task<> {
            const counted local(of_local);
            const auto end = co_await settled(never_set.wait());
            co_await never_set.wait();
        });
        leftover.set_name("deaf");
        co_await yield();
        co_return 7;
    });
    CHECK(value == 7);
    CHECK(gave_up - began >= 50ms);
    CHECK(of_local.made == 1);
    CHECK(of_local.destroyed == 1);
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].task_name == "deaf");
    INFO(log.reports()[0].message << ": " << log.reports()[0].what);
    const std::string text = log.reports()[0].message + log.reports()[0].what;
    CHECK(text.find("event") != std::string::npos);
}

TEST_CASE("RUN-09 within shutdown_grace a leftover ends as without it") {
    hook_log log;
    bool ended = false;
    run(run_options().on_exception(log.hook()).shutdown_grace(1h), [&]() -> task<> {
        spawn([&]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            co_await sleep_for(1ms);
            ended = true;
        });
        co_await yield();
    });
    CHECK(ended);
    CHECK(log.empty());
}
