// cancel_test.cpp - requests to end: where and when they are delivered, how they are counted, what clean-up may do.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A way to wait, and how a request ends it: "cancelled+1" is one turn after the request.
struct way_to_wait {
    std::string name;
    std::function<task<>()> body;
    std::string expected;
};

/// What the ways wait for: none of it comes by itself.
struct never {
    event unset;
    mutex taken;
    bool held = taken.try_lock();
    task_handle<> asleep = spawn([]() -> task<> { co_await sleep_for(1h); });
    bool job_ran = false;
};

std::vector<way_to_wait> ways_to_wait(never& n) {
    std::vector<way_to_wait> ways;
    const auto add = [&ways](const char* name, std::function<task<>()> body, const char* expected) {
        ways.push_back({name, std::move(body), expected});
    };
    add("sleep_for", []() -> task<> { co_await sleep_for(1h); }, "cancelled+1");
    add("sleep_until", []() -> task<> { co_await sleep_until(time_point::max()); }, "cancelled+1");
    add("event", [&n]() -> task<> { co_await n.unset.wait(); }, "cancelled+1");
    add("mutex", [&n]() -> task<> { const auto lock = co_await n.taken.lock(); }, "cancelled+1");
    add("wait", [&n]() -> task<> { const auto ended = co_await wait(n.asleep); }, "cancelled+1");
    add("wait within", [&n]() -> task<> { const auto ended = co_await wait(n.asleep).within(1h); }, "cancelled+1");
    add("shield", [&n]() -> task<> { co_await shield(n.asleep); }, "cancelled+1");
    add("timeout", [&n]() -> task<> { co_await timeout(1h, n.unset.wait()); }, "cancelled+1");
    // The joined task ends one turn later, the joiner two.
    add("join", [&n]() -> task<> { co_await n.asleep; }, "cancelled+2");
    // Its wait ends one turn later, then the child is cancelled, then its bookkeeping is done, then the owner wakes.
    add(
        "group",
        []() -> task<> {
            const auto body = [](task_group& g) -> task<> {
                g.spawn(sleep_for(1h));
                co_return;
            };
            co_await with_task_group(body);
        },
        "cancelled+4");
    return ways;
}

/// Those that go through the queue once: a request can only be there before they begin.
std::vector<way_to_wait> ways_to_yield() {
    std::vector<way_to_wait> ways;
    const auto add = [&ways](const char* name, std::function<task<>()> body) { ways.push_back({name, std::move(body), "cancelled+1"}); };
    add("yield", []() -> task<> { co_await yield(); });
    add("sleep_for(0)", []() -> task<> { co_await sleep_for(0s); });
    add("sleep_until(past)", []() -> task<> { co_await sleep_until(time_point::min()); });
    return ways;
}

/// Calls to a thread; the job is never made, as the request is there first.
std::vector<way_to_wait> ways_to_call(never& n) {
    std::vector<way_to_wait> ways;
    const auto job = [&n] { n.job_ran = true; };
    ways.push_back({"to_thread", [job]() -> task<> { co_await to_thread(job); }, "cancelled+1"});
    ways.push_back({"abandon(to_thread)", [job]() -> task<> { co_await abandon(to_thread(job)); }, "cancelled+1"});
    return ways;
}

/// Lets a task wait, asks it to end, and says how it ended and how many turns later.
task<std::string> ended_by_request(const way_to_wait& way, bool asked_before) {
    std::uint64_t asked = 0;
    std::uint64_t resumed = 0;
    std::string end;
    bool inside = false;
    const auto waits = [&]() -> task<> {
        if (asked_before) {
            CHECK(this_task::handle().cancel());
            asked = turn_number();
        }
        const auto left = co_await settled(way.body());
        CHECK_FALSE(inside);
        resumed = turn_number();
        end = end_of(left);
    };
    auto h = spawn(waits);
    co_await yield();
    if (!asked_before) {
        inside = true;
        CHECK(h.cancel());
        inside = false;
        asked = turn_number();
    }
    const auto ended = co_await wait(h);
    co_return end + "+" + std::to_string(resumed - asked);
}

}

TEST_CASE("CAN-01 a task cancelled before its first step never enters its body and ends where that step stood") {
    trace t;
    lifetimes of_argument;
    run([&]() -> task<> {
        task_handle<> cancelled_one;
        const auto looks = [&](std::string name) -> task<> {
            t.note(name + (cancelled_one.is_done() ? ":ended" : ":pending") + std::to_string(turn_number()));
            co_return;
        };
        const auto marks = [&t](counted) -> task<> {
            t.note("began");
            co_return;
        };
        spawn(looks, "a");
        cancelled_one = spawn(marks, counted(of_argument));
        spawn(looks, "b");
        CHECK(cancelled_one.cancel());
        CHECK_FALSE(cancelled_one.is_done());
        const auto left = co_await settled(cancelled_one);
        t.note(end_of(left) + std::to_string(turn_number()));
        CHECK(cancelled_one.is_cancelled());
    });
    CHECK(t.joined() == "a:pending2 b:ended2 task_cancelled3");
    CHECK(of_argument.alive() == 0);
}

TEST_CASE("CAN-01 what a task that never began was given is destroyed at its end, though its handle lives on") {
    run([]() -> task<> {
        lifetimes of_frame;
        lifetimes of_capture;
        lifetimes of_argument;
        const auto takes = [](counted) -> task<> { co_return; };
        task<> made = takes(counted(of_frame));
        std::vector<task_handle<>> all;
        all.push_back(spawn(std::move(made)));
        all.push_back(spawn(takes, counted(of_argument)));
        all.push_back(spawn([captured = counted(of_capture)]() -> task<> { co_return; }));
        for (const auto& h : all)
            h.cancel();
        co_await yield();
        for (const auto& h : all)
            CHECK(h.is_cancelled());
        CHECK(of_frame.alive() == 0);
        CHECK(of_argument.alive() == 0);
        CHECK(of_capture.alive() == 0);
    });
}

TEST_CASE("CAN-02 a request ends each wait in memory in the next turn, a join and a group as their parts do, never inline") {
    run([]() -> task<> {
        never n;
        for (const way_to_wait& way : ways_to_wait(n)) {
            if (n.asleep.is_done())
                n.asleep = spawn([]() -> task<> { co_await sleep_for(1h); });
            INFO(way.name);
            const std::string found = co_await ended_by_request(way, false);
            CHECK(found == way.expected);
            CHECK(n.taken.is_locked());
            CHECK(n.asleep.is_cancelled() == (way.name == "join"));
        }
    });
}

TEST_CASE("CAN-02 a cancelled sleep takes its timer with it, and cancel() answers true") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> { co_await sleep_for(1h); });
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 1);
        CHECK(h.cancel());
        co_await yield();
        CHECK(h.is_cancelled());
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("CAN-02 a request wins over what the waiter was given but has not resumed with") {
    run([]() -> task<> {
        event set_first;
        auto on_event = spawn([&]() -> task<> { co_await set_first.wait(); });
        auto ends = spawn([&]() -> task<> { co_await set_first.wait(); });
        auto joins = spawn([&]() -> task<> { co_await ends; });
        const auto deadline = loop::current().time() + 1ms;
        auto sleeps = spawn([&]() -> task<> { co_await sleep_until(deadline); });
        co_await yield();
        set_first.set();
        CHECK(on_event.cancel());
        co_await yield();
        CHECK(on_event.is_cancelled());

        CHECK(end_of(ends) == "value");   // joins is ready, and not resumed yet
        CHECK(joins.cancel());
        co_await yield();
        CHECK(joins.is_cancelled());
        CHECK(end_of(ends) == "value");

        // The sleep's own entry ran just before this one, in the same turn.
        event fired;
        loop::current().call_at(deadline, [&] {
            CHECK(sleeps.cancel());
            fired.set();
        });
        co_await fired.wait();
        CHECK(sleeps.is_cancelled());
    });
}

TEST_CASE("CAN-05 a request that was there before ends each wait in memory and each call to a thread at once, but not inline") {
    run([]() -> task<> {
        never n;
        auto ways = ways_to_wait(n);
        for (auto& more : {ways_to_yield(), ways_to_call(n)})
            ways.insert(ways.end(), more.begin(), more.end());
        for (const way_to_wait& way : ways) {
            if (n.asleep.is_done())
                n.asleep = spawn([]() -> task<> { co_await sleep_for(1h); });
            co_await yield();
            INFO(way.name);
            const std::string found = co_await ended_by_request(way, true);
            CHECK(found == way.expected);
        }
        n.asleep.cancel();
        co_await yield();
        CHECK_FALSE(n.job_ran);
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("CAN-05 an await that is ready delivers nothing: the request stays for the next suspension, and comes once") {
    run([]() -> task<> {
        event is_set;
        is_set.set();
        mutex is_free;
        auto finished = spawn([]() -> task<int> { co_return 7; });
        co_await yield();
        const auto runs_in_place = []() -> task<int> { co_return 7; };
        const auto empty_group = [](task_group&) -> task<> { co_return; };

        CHECK(this_task::handle().cancel());
        const auto before = turn_number();
        co_await is_set.wait();
        {
            const auto lock = co_await is_free.lock();
        }
        const int joined = co_await finished;
        const int shielded = co_await shield(finished);
        const int in_place = co_await runs_in_place();
        co_await with_task_group(empty_group);
        co_await timeout(0s, runs_in_place());
        CHECK(joined + shielded + in_place == 21);
        CHECK(turn_number() == before);

        const auto first = co_await settled(yield());
        CHECK(first.is_cancelled());
        const auto second = co_await settled(yield());
        CHECK(second.has_value());
        CHECK(this_task::handle().cancelling() == 1);
    });
}

TEST_CASE("CAN-05 the 65th ready await in a row goes through the queue, and that is a suspension: nothing is kept") {
    run([]() -> task<> {
        event is_set;
        is_set.set();
        mutex is_free;
        auto finished = spawn([]() -> task<> { co_return; });
        std::vector<way_to_wait> ready;
        ready.push_back({"event", [&]() -> task<> { co_await is_set.wait(); }, ""});
        ready.push_back({"mutex", [&]() -> task<> { const auto lock = co_await is_free.lock(); }, ""});
        ready.push_back({"join", [&]() -> task<> { co_await finished; }, ""});
        ready.push_back({"shield", [&]() -> task<> { co_await shield(finished); }, ""});
        for (const way_to_wait& way : ready) {
            INFO(way.name);
            co_await yield();
            this_task::handle().cancel();
            const auto before = turn_number();
            int went_on = 0;
            bool is_cancelled = false;
            while (!is_cancelled && went_on < 100) {
                const auto left = co_await settled(way.body());
                is_cancelled = left.is_cancelled();
                went_on += is_cancelled ? 0 : 1;
            }
            CHECK(went_on == 64);
            CHECK(turn_number() == before + 1);
            CHECK_FALSE(is_free.is_locked());
        }
    });
}

TEST_CASE("CAN-06 a cancelled waiter may destroy what it waited for, and what cancelled it") {
    run([]() -> task<> {
        auto unset = std::make_unique<event>();
        auto taken = std::make_unique<mutex>();
        REQUIRE(taken->try_lock());
        auto asleep = std::make_unique<task_handle<>>(spawn([]() -> task<> { co_await sleep_for(1h); }));
        auto scope = std::make_unique<timeout_scope>(1h);
        const auto on_event = [&]() -> task<> {
            const auto left = co_await settled(unset->wait());
            unset.reset();
        };
        const auto on_mutex = [&]() -> task<> {
            const auto left = co_await settled(taken->lock());
            taken.reset();
        };
        const auto on_task = [&]() -> task<> {
            const auto left = co_await settled(*asleep);
            asleep.reset();
        };
        const auto on_scope = [&]() -> task<> {
            const auto left = co_await settled(scope->run(sleep_for(1h)));
            scope.reset();
        };
        std::vector<task_handle<>> waiters;
        for (const auto& body : std::vector<std::function<task<>()>>{on_event, on_mutex, on_task, on_scope})
            waiters.push_back(spawn(body));
        co_await yield();
        while (!waiters.empty()) {
            waiters.back().cancel();
            waiters.pop_back();
        }
        co_await yield();
        co_await yield();
        CHECK_FALSE(unset);
        CHECK_FALSE(taken);
        CHECK_FALSE(asleep);
        CHECK_FALSE(scope);
    });
}

TEST_CASE("CAN-06 a callback that owns the handle through which it is cancelled may go with it") {
    run([]() -> task<> {
        struct owner {
            callback_handle handle;
        };
        for (const auto delay : {0h, 1h}) {
            lifetimes of_capture;
            auto owned = std::make_shared<owner>();
            owner& o = *owned;
            auto callback = [owned = std::move(owned), captured = counted(of_capture)] { FAIL("it was cancelled"); };
            if (delay == 0h)
                o.handle = loop::current().call_soon(std::move(callback));
            else
                o.handle = loop::current().call_after(delay, std::move(callback));
            CHECK(o.handle.cancel());
            CHECK(of_capture.alive() == 1);   // the moved-from one here
            co_await yield();
        }
    });
}

TEST_CASE("CAN-09 cancelling a finished task answers false and changes nothing") {
    run([]() -> task<> {
        auto value = spawn([]() -> task<int> { co_return 7; });
        auto error = spawn([]() -> task<int> {
            throw std::runtime_error("E");
            co_return 0;
        });
        auto ended = spawn([]() -> task<int> {
            throw cancelled{};
            co_return 0;
        });
        co_await yield();
        for (const auto& h : {value, error, ended}) {
            CHECK_FALSE(h.cancel());
            CHECK(h.cancelling() == 0);
        }
        co_await yield();
        CHECK(value.get() == 7);
        CHECK(end_of(error) == "E");
        CHECK(end_of(ended) == "cancelled");
    });
}
