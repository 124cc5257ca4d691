// cancel_sweep_test.cpp - a fixed program of everything that waits in memory, cancelled at each of its turns.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// What the program shares, and what must hold when it is over.
struct shared_state {
    event started;
    mutex m;
    lifetimes of_locals;
    int inside = 0;
    int most_inside = 0;
    int entered = 0;
    int left = 0;
};

/// Counts its own beginning and end, and holds the lock for a turn.
task<> worker(shared_state& s, int turns) {
    const counted local(s.of_locals);
    ++s.entered;
    struct at_end {
        int& left;
        ~at_end() { ++left; }
    } const leaving{s.left};
    co_await s.started.wait();
    for (int i = 0; i < turns; ++i) {
        const auto lock = co_await s.m.lock();
        s.most_inside = std::max(s.most_inside, ++s.inside);
        const auto held = co_await settled(yield());
        --s.inside;
        held.rethrow();
    }
}

task<> fails_when_asked(shared_state& s) {
    const counted local(s.of_locals);
    const auto left = co_await settled(sleep_for(1h));
    co_await yield();
    throw std::runtime_error("late");
}

task<> groups(shared_state& s) {
    auto joined = spawn(worker(s, 2));
    const auto body = [&s](task_group& g) -> task<> {
        for (int i = 1; i <= 3; ++i)
            g.spawn(worker(s, i));
        co_await yield();
        s.started.set();
        co_await timeout(1h, worker(s, 1));
    };
    co_await with_task_group(body);
    co_await joined;
    const auto failing = [&s](task_group& g) -> task<> {
        g.spawn(fails_when_asked(s));
        g.spawn(worker(s, 1));
        co_await timeout(0s, sleep_for(1h));
    };
    const auto failed = co_await settled(with_task_group(failing));
    if (failed.is_cancelled())
        failed.rethrow();
    const auto quiet = [&s](task_group& g) -> task<> {
        g.spawn(worker(s, 3));
        co_await worker(s, 1);
        g.cancel();
    };
    co_await with_task_group(quiet);
}

task<> program(shared_state& s) {
    const counted local(s.of_locals);
    co_await groups(s);
    const auto expired = co_await settled(timeout(0s, worker(s, 100)));
    if (expired.is_cancelled())
        expired.rethrow();
    co_await gather(worker(s, 1), worker(s, 2));
    const auto again = [&s] { return worker(s, 3); };
    co_await race(worker(s, 1), sleep_for(1h), again);
    auto shielded = spawn(worker(s, 1));
    co_await shield(shielded);
    const auto ended = co_await wait(shielded);
    const auto cleans_up = [&s]() -> task<> { co_await worker(s, 1); };
    co_await finally(worker(s, 1), cleans_up);
}

}

TEST_CASE("CAN-25 cancelled at each of its turns, a program leaves no task, no timer, no lock and no frame, and has heard the request") {
    int delivered = 0;
    bool asked = true;
    for (int turn = 0; asked; ++turn) {
        REQUIRE(turn < 1000);
        shared_state s;
        hook_log log;
        std::string end;
        INFO("cancelled after " << turn << " turns");
        run(run_options().on_exception(log.hook()), [&]() -> task<> {
            auto h = spawn(program(s));
            for (int i = 0; i < turn; ++i)
                co_await yield();
            asked = h.cancel();
            const auto waited = co_await wait(h);
            end = end_of(h);
            CHECK(h.cancelling() == (asked ? 1 : 0));
            // Tasks that the program was shielded from, or never came to join, go on to their end.
            s.started.set();
            for (int i = 0; i < 50; ++i)
                co_await yield();
            CHECK(loop::current().counters().tasks == 1);
            CHECK(loop::current().counters().armed_timers == 0);
        });
        // Nothing in it swallows a request, and each of its instants is before some suspension or in one.
        CHECK(end == (asked ? "cancelled" : "value"));
        CHECK_FALSE(s.m.is_locked());
        CHECK(s.inside == 0);
        CHECK(s.most_inside <= 1);
        CHECK(s.entered == s.left);
        CHECK(s.of_locals.alive() == 0);
        CHECK(log.empty());
        delivered += asked ? 1 : 0;
    }
    CHECK(delivered > 50);
}
