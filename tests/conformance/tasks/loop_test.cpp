// loop_test.cpp - turns: how the loop sleeps, and that a program without I/O takes the same turns everywhere.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/semaphore.hpp>
#include <support/stack_meter.hpp>
#include <support/turns.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("LOOP-01 an idle loop with a distant timer waits once, without turning [rt]") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        const auto sleeper = []() -> task<> { co_await sleep_for(10s); };
        spawn(sleeper);
        co_await yield();

        // The least of two halves of a second: what a virtual machine loses is charged to whoever runs then, once; a loop that turns turns
        // in both.
        auto least = std::chrono::nanoseconds::max();
        for (int half = 0; half < 2; ++half) {
            const auto cpu = os::cpu_time();
            const auto waits = calls.waits.load();
            const auto turns = turn_number();
            const auto blocking = loop::current().counters().blocking_waits;
            co_await sleep_for(500ms);
            CHECK(calls.waits - waits <= 3);
            CHECK(loop::current().counters().blocking_waits - blocking <= 3);
            CHECK(turn_number() - turns <= 3);
            if (cpu)
                least = std::min(least, *os::cpu_time() - *cpu);
        }
        if (os::cpu_time())
            CHECK(least < 10ms * slowdown + os::cpu_time_step());
    });
}

TEST_CASE("LOOP-02 a loop that waits for posts only sleeps without a deadline, and a post wakes it [rt]") {
    constexpr int rounds = 15;
    backend_calls calls;
    testing::semaphore sleeps(0);
    calls.before_endless_wait = [&] { sleeps.release(); };

    std::vector<duration> latencies;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        event all_done;
        std::thread poster([&, ref = loop::current().ref()] {
            for (int i = 0; i < rounds; ++i) {
                sleeps.acquire();
                const auto posted = std::chrono::steady_clock::now();
                ref.post([&, posted] {
                    latencies.push_back(std::chrono::steady_clock::now() - posted);
                    if (latencies.size() == rounds)
                        all_done.set();
                });
            }
        });
        co_await all_done.wait();
        poster.join();
    });
    CHECK(calls.endless_waits == rounds);
    // The median: one wake-up may fall into another program's time slice.
    std::sort(latencies.begin(), latencies.end());
    CHECK(latencies[rounds / 2] < late_allowance());
}

TEST_CASE("LOOP-02 the first wait of a backend sleeps, as all others do [rt]") {
    const auto b = make_default_backend();
    operation_list finished;
    const time_point began = b->now();
    CHECK(b->wait(began + 20ms, finished) == waited::nothing);
    CHECK(b->now() - began >= 10ms);
}

TEST_CASE("LOOP-07 a million operations that finish at once, each begun by the one before, take constant stack") {
    const auto count = scaled(1'000'000);
    stack_meter stack;
    run([&]() -> task<> {
        auto pair = co_await connected_pair();
        const auto turns = turn_number();
        std::array<std::byte, 1> byte{};
        std::size_t arrived = 0;
        for (std::size_t i = 0; i < count; ++i) {
            co_await pair.theirs.write(byte);
            stack.sample();
            arrived += co_await pair.ours.read(byte);
            stack.sample();
        }
        CHECK(arrived == count);
        // Within the budget they go on; beyond it they leave others their turn.
        CHECK(turn_number() - turns >= 2 * count / 65);
        CHECK(turn_number() - turns < count);
    });
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("LOOP-08 a program without I/O takes the same turns on every backend") {
    run([]() -> task<> {
        CHECK(turn_number() == 1);

        const auto yields = [](int times) -> task<int> {
            for (int i = 0; i < times; ++i)
                co_await yield();
            co_return times;
        };
        const auto in_place = yields;
        auto spawned = spawn(yields, 3);   // begins in turn 2, ends in 5
        co_await spawned;
        CHECK(turn_number() == 6);

        co_await in_place(2);
        CHECK(turn_number() == 8);

        event e;
        const auto waits = [&e]() -> task<> { co_await e.wait(); };
        auto waiter = spawn(waits);   // begins in 9
        co_await yield();
        co_await yield();
        e.set();   // in 10: the waiter ends in 11
        co_await waiter;
        CHECK(turn_number() == 12);

        const auto sleeps = []() -> task<> { co_await sleep_for(1h); };
        auto sleeper = spawn(sleeps);   // begins in 13
        co_await yield();
        sleeper.cancel();   // resumes in 14
        const auto left = co_await settled(sleeper);
        CHECK(left.threw<task_cancelled>());
        CHECK(turn_number() == 15);

        mutex m;
        auto held = co_await m.lock();
        CHECK(turn_number() == 15);
        const auto locks = [&m]() -> task<> { const auto guard = co_await m.lock(); };
        auto first = spawn(locks);    // asks in 16
        auto second = spawn(locks);   // behind it
        co_await yield();
        held.unlock();   // in 16: the first has it in 17, the second in 18
        co_await second;
        CHECK(turn_number() == 19);
        CHECK(first.is_done());
        CHECK(loop::current().counters().turns == 19);
    });
}

TEST_CASE("LOOP-08 counters say what there is") {
    run([]() -> task<> {
        const auto before = loop::current().counters();
        CHECK(before.turns == 1);
        CHECK(before.tasks == 1);
        CHECK(before.resumptions == 1);
        CHECK(before.armed_timers == 0);
        CHECK(before.pending_operations == 0);
        CHECK(before.open_handles == 0);

        const auto sleeps = []() -> task<> { co_await sleep_for(1h); };
        auto one = spawn(sleeps);
        auto other = spawn(sleeps);
        co_await yield();
        const auto with_two = loop::current().counters();
        CHECK(with_two.tasks == 3);
        CHECK(with_two.armed_timers == 2);
        CHECK(with_two.live_frames == before.live_frames + 2);
        CHECK(with_two.resumptions == before.resumptions + 3);

        one.cancel();
        other.cancel();
        co_await yield();
        const auto after = loop::current().counters();
        CHECK(after.tasks == 1);
        CHECK(after.armed_timers == 0);
        CHECK(after.live_frames == before.live_frames);
    });
}
