// run_test.cpp - what run() gives back, where it refuses, and that nothing of it stays.
#include <conformance/expected_backend.hpp>
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/semaphore.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("RUN-01 run returns main's value and leaves nothing behind") {
    const auto descriptors = os::open_descriptors();
    const auto threads = os::threads();
    const auto frames = live_frames();

    const int value = run([]() -> task<int> {
        co_await sleep_for(1ms);
        co_return 42;
    });

    CHECK(value == 42);
    CHECK(os::open_descriptors() == descriptors);
    CHECK(os::threads() == threads);
    CHECK(live_frames() == frames);
    CHECK(loop::try_current() == nullptr);
    CHECK(usage_of([] { loop::current(); }) == errc::no_running_loop);
}

TEST_CASE("RUN-01 main may be a task, or a callable with arguments, which run destroys") {
    const auto add = [](int a, int b) -> task<int> {
        co_await yield();
        co_return a + b;
    };
    CHECK(run(add(20, 22)) == 42);
    CHECK(run(add, 20, 22) == 42);

    lifetimes of_capture;
    lifetimes of_argument;
    run([captured = counted(of_capture)](counted) -> task<> { co_await sleep_for(1ms); }, counted(of_argument));
    CHECK(of_capture.alive() == 0);
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("RUN-02 the exception that leaves main leaves run, the same object, after clean-up") {
    trace t;
    const auto thrown = std::make_exception_ptr(std::runtime_error("E"));
    std::exception_ptr left;
    try {
        run([&]() -> task<> {
            spawn([&]() -> task<> {
                const auto end = co_await settled(sleep_for(1h));
                t.note(end.is_cancelled() ? "cancelled" : "slept");
            });
            co_await yield();
            std::rethrow_exception(thrown);
        });
    } catch (...) {
        left = std::current_exception();
        t.note("left");
    }
    CHECK(text_of(left) == "E");
#if !defined(_MSC_VER)
    CHECK(left == thrown);
#endif
    CHECK(t.joined() == "cancelled left");
    CHECK(loop::try_current() == nullptr);
}

TEST_CASE("RUN-03 a main that returns at once ends run in its first turn, without a wait that blocks") {
    backend_calls calls;
    std::uint64_t turns = 0;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        turns = turn_number();
        co_return;
    });
    CHECK(turns == 1);
    CHECK(calls.blocking_waits == 0);
}

TEST_CASE("RUN-10 run inside a running loop is refused before it touches the task, and the outer loop goes on") {
    int calls = 0;
    const auto inner_main = [&]() -> task<int> {
        ++calls;
        co_return 7;
    };
    const int value = run([&]() -> task<int> {
        CHECK(usage_of([&] { run(inner_main); }) == errc::nested_run);
        CHECK(usage_of([] { runner r; }) == errc::nested_run);
        CHECK(calls == 0);

        task<int> inner = inner_main();
        std::string text;
        try {
            run(std::move(inner));
        } catch (const usage_error& e) {
            text = e.what();
        }
        CHECK(text.find("corun::run() cannot be called from a running event loop; co_await the task, or spawn() it") != std::string::npos);

        co_await yield();
        const int from_inner = co_await std::move(inner);
        co_return from_inner;
    });
    CHECK(value == 7);
    CHECK(calls == 1);
}

TEST_CASE("RUN-10 a callback can't run either") {
    std::optional<errc> refused;
    run([&]() -> task<> {
        loop::current().call_soon([&] { refused = usage_of([] { run([]() -> task<> { co_return; }); }); });
        co_await yield();
    });
    CHECK(refused == errc::nested_run);
}

TEST_CASE("RUN-11 runs on two threads at once are independent and give the same results") {
    struct seen {
        const loop* l = nullptr;
        std::string order;
        std::uint64_t turns = 0;
        int value = 0;
    };
    testing::semaphore first_is_inside;
    testing::semaphore second_is_inside;
    const auto program = [](seen& s, testing::semaphore& mine, testing::semaphore& others) {
        trace t;
        s.value = run([&]() -> task<int> {
            mine.release();
            others.acquire();
            s.l = &loop::current();
            const auto marks_twice = [&t](std::string name) -> task<int> {
                t.note(name + "1");
                co_await yield();
                t.note(name + "2");
                co_return 1;
            };
            auto a = spawn(marks_twice, "a");
            auto b = spawn(marks_twice, "b");
            const int first = co_await a;
            const int second = co_await b;
            s.turns = turn_number();
            mine.release();
            others.acquire();
            co_return first + second;
        });
        s.order = t.joined();
    };
    seen here;
    seen there;
    std::thread other([&] { program(there, first_is_inside, second_is_inside); });
    program(here, second_is_inside, first_is_inside);
    other.join();

    CHECK(here.l != there.l);
    CHECK(here.order == "a1 b1 a2 b2");
    CHECK(there.order == here.order);
    CHECK(here.value == 2);
    CHECK(there.value == 2);
    CHECK(there.turns == here.turns);
}

TEST_CASE("RUN-12 ten thousand runs one after another leave descriptors, threads and memory as they were") {
    const auto program = []() -> task<int> {
        const auto returns_one = []() -> task<int> {
            co_await yield();
            co_return 1;
        };
        auto h = spawn(returns_one);
        const int one = co_await h;
        co_return one;
    };
    int sum = 0;
    for (int i = 0; i < 100; ++i)
        sum += run(program);
    const auto descriptors = os::open_descriptors();
    const auto threads = os::threads();
    const auto resident = os::resident_bytes();
    for (int i = 100; i < 10'000; ++i)
        sum += run(program);

    CHECK(sum == 10'000);
    CHECK(os::open_descriptors() == descriptors);
    CHECK(os::threads() == threads);
    if (resident && !under_sanitizer)
        CHECK(*os::resident_bytes() < *resident + (std::size_t(1) << 20));
}

TEST_CASE("RUN-13 a main that cancels itself leaves run as cancelled") {
    trace t;
    try {
        run([&]() -> task<> {
            this_task::handle().cancel();
            t.note("asked");
            co_await yield();
            t.note("went on");
        });
        t.note("returned");
    } catch (const cancelled&) {
        t.note("cancelled");
    }
    CHECK(t.joined() == "asked cancelled");
}

TEST_CASE("RUN-15 what was posted when main ends still runs, before run returns") {
    bool here_ran = false;
    bool there_ran = false;
    bool accepted = false;
    run([&]() -> task<> {
        loop& l = loop::current();
        std::thread([&] { accepted = l.post([&] { there_ran = true; }); }).join();
        CHECK(l.post([&] { here_ran = true; }));
        co_return;
    });
    CHECK(here_ran);
    CHECK(accepted);
    CHECK(there_ran);
}

TEST_CASE("RUN-15 a task that a late post spawns is cancelled before it begins") {
    trace t;
    lifetimes of_argument;
    run([&]() -> task<> {
        const auto leftover = [&t](counted) -> task<> {
            t.note("began");
            co_return;
        };
        const auto spawns = [&t, &of_argument, leftover] {
            t.note("posted");
            spawn(leftover, counted(of_argument));
        };
        loop::current().post(spawns);
        co_return;
    });
    t.note("returned");
    CHECK(t.joined() == "posted returned");
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("RUN-15 after run a post is rejected: its function is destroyed, not run") {
    std::optional<loop_ref> ref;
    run([&]() -> task<> {
        ref = loop::current().ref();
        co_return;
    });
    bool ran = false;
    lifetimes of_capture;
    const bool accepted = ref->post([&ran, captured = counted(of_capture)] { ran = true; });
    CHECK_FALSE(accepted);
    CHECK_FALSE(ran);
    CHECK(of_capture.alive() == 0);
}

TEST_CASE("RUN-15 posts from another thread run or are rejected, none is lost, however main ends") {
    std::size_t ran = 0;
    std::size_t accepted = 0;
    std::thread poster;
    run([&]() -> task<> {
        poster = std::thread([&ran, &accepted, ref = loop::current().ref()] {
            while (ref.post([&ran] { ++ran; }))
                ++accepted;
        });
        // Until some have come through, so that the end falls among them.
        while (ran < 100)
            co_await yield();
    });
    const std::size_t ran_before_return = ran;
    poster.join();
    CHECK(ran_before_return == accepted);
    CHECK(ran == accepted);
}

TEST_CASE("RUN-16 the loop runs on the backend that was linked") {
    const std::string name = run([]() -> task<std::string> { co_return std::string(loop::current().backend_name()); });
    CHECK(name == make_default_backend()->name());
    CHECK(name == expected_backend());
}

TEST_CASE("RUN-17 sockets that main holds are closed before run returns, in whatever way main ends") {
    const auto descriptors = os::open_descriptors();
    const auto holds_sockets = [](bool fails) -> task<> {
        const auto listener = tcp_listener::bind(loopback());
        const auto pair = co_await connected_pair();
        CHECK(loop::current().counters().open_handles == 3);
        if (fails)
            throw std::runtime_error("E");
    };
    run(holds_sockets, false);
    CHECK(os::open_descriptors() == descriptors);

    CHECK_THROWS_WITH(run(holds_sockets, true), "E");
    CHECK(os::open_descriptors() == descriptors);
}
