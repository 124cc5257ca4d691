// gather_test.cpp - several awaitables at once: all of their values, or the first error and nobody left running.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/scenes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Sleeps until it is asked to end, which takes a turn; then gives a value.
task<int> stubborn(trace& t, std::string name) {
    const auto left = co_await settled(sleep_for(1h));
    t.note(name + ":" + end_of(left));
    co_await yield();
    t.note(name + ":ended");
    co_return 7;
}

}

TEST_CASE("CAN-13 gather runs its parts side by side and gives their values in the order they were given") {
    run([]() -> task<> {
        const auto nothing = []() -> task<> { co_await yield(); };
        auto spawned = spawn(gives(4, 2));
        auto values = co_await gather(gives(1, 5), nothing, sleep_for(0s), spawned, [] { return gives(5, 0); });
        static_assert(std::is_same_v<decltype(values), std::tuple<int, std::monostate, std::monostate, int, int>>);
        CHECK(std::get<0>(values) == 1);
        CHECK(std::get<3>(values) == 4);
        CHECK(std::get<4>(values) == 5);

        static_assert(std::is_same_v<decltype(gather(nothing, nothing)), task<>>);
        co_await gather(nothing, sleep_for(0s));

        const auto makes = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        auto owned = co_await gather(makes, makes);
        CHECK(*std::get<0>(owned) + *std::get<1>(owned) == 14);
    });
}

TEST_CASE("CAN-13 gather takes a range as well, an empty one is over at once") {
    run([]() -> task<> {
        std::vector<task<int>> parts;
        for (int i = 0; i < 10; ++i)
            parts.push_back(gives(i, 10 - i));
        const std::vector<int> values = co_await gather(std::move(parts));
        CHECK(values == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

        const auto before = turn_number();
        const auto none = co_await gather(std::vector<task<int>>());
        CHECK(none.empty());
        co_await gather(std::vector<task<>>());
        CHECK(turn_number() == before);
    });
}

TEST_CASE("CAN-13 the parts of a gather begin in the next turn, and it wakes two turns after the last one's end") {
    trace t;
    run([&]() -> task<> {
        const auto marks = [&t](std::string name, int turns) -> task<> {
            t.note(name + std::to_string(turn_number()));
            for (int i = 0; i < turns; ++i)
                co_await yield();
            t.note(name + std::to_string(turn_number()));
        };
        co_await gather(marks("a", 3), marks("b", 1));
        t.note("gathered" + std::to_string(turn_number()));
    });
    CHECK(t.joined() == "a2 b2 b3 a5 gathered7");
}

TEST_CASE("CAN-13 the first error of a gather cancels the other parts, waits for them, and leaves as it is") {
    trace t;
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto left = co_await settled(gather(stubborn(t, "a"), fails<int>("E", 1), stubborn(t, "c"), gives(1, 0)));
        t.note(end_of(left));
        CHECK(left.threw<std::runtime_error>());
        CHECK(loop::current().counters().tasks == 1);
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    CHECK(t.joined() == "a:cancelled c:cancelled a:ended c:ended E");
    CHECK(log.empty());
}

TEST_CASE("CAN-13 later errors of a gather's parts go to the hook, once each") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto left =
            co_await settled(gather(fails_when_asked<int>("E1"), fails<int>("E2", 1), fails_when_asked<int>("E3"), fails<int>("E4", 1)));
        CHECK(end_of(left) == "E2");
    });
    CHECK(log.size() == 3);
    std::vector<std::string> texts;
    for (const auto& report : log.reports())
        texts.push_back(report.what);
    CHECK(std::is_permutation(texts.begin(), texts.end(), std::vector<std::string>{"E1", "E3", "E4"}.begin()));
}

TEST_CASE("CAN-13 a part that others cancelled counts as failed with task_cancelled") {
    trace t;
    run([&]() -> task<> {
        const auto ends_itself = []() -> task<int> {
            this_task::handle().cancel();
            co_await yield();
            co_return 0;
        };
        const auto first = co_await settled(gather(stubborn(t, "a"), ends_itself));
        CHECK(end_of(first) == "task_cancelled");

        auto target = spawn(sleep_for(1h));
        loop::current().call_after(1ms, [&] { target.cancel(); });
        const auto second = co_await settled(gather(stubborn(t, "b"), target));
        CHECK(end_of(second) == "task_cancelled");
        CHECK(this_task::handle().cancelling() == 0);
    });
    CHECK(t.joined() == "a:cancelled a:ended b:cancelled b:ended");
}

TEST_CASE("CAN-13 a request to who gathers ends every part, waits for them, and leaves as cancelled") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn(gather(stubborn(t, "a"), sleep_for(1h), stubborn(t, "c")));
        co_await yield();
        co_await yield();
        h.cancel();
        const auto ended = co_await wait(h);
        t.note(end_of(h));
        CHECK(h.cancelling() == 1);
        CHECK(loop::current().counters().tasks == 1);
    });
    CHECK(t.joined() == "a:cancelled c:cancelled a:ended c:ended cancelled");
}

TEST_CASE("CAN-13 a request that was there before a gather ends its parts as well") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> {
            this_task::handle().cancel();
            co_await gather(sleep_for(1h), sleep_for(1h));
        });
        const auto ended = co_await wait(h);
        CHECK(h.is_cancelled());
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

TEST_CASE("CAN-13 a request between the last part's end and the gather's bookkeeping is delivered") {
    run([]() -> task<> {
        event go;
        const auto part = [&]() -> task<int> {
            co_await go.wait();
            co_return 7;
        };
        auto h = spawn(gather(part, part));
        co_await yield();
        co_await yield();
        go.set();
        co_await yield();
        h.cancel();   // both have ended in this turn; the bookkeeping stands in the queue
        const auto ended = co_await wait(h);
        CHECK(end_of(h) == "cancelled");
    });
}

TEST_CASE("CAN-13 a request after a gather's first error doesn't change what leaves: it is delivered at the next suspension") {
    trace t;
    run([&]() -> task<> {
        auto h = spawn([&]() -> task<> {
            const auto left = co_await settled(gather(fails<int>("E", 1), stubborn(t, "b")));
            t.note(end_of(left));
            const auto next = co_await settled(yield());
            t.note(end_of(next));
        });
        // Turn 2: h; 3 and 4: the failure; 5: its bookkeeping, b is asked; 6: b resumes.
        for (int i = 0; i < 5; ++i)
            co_await yield();
        CHECK(t.joined() == "b:cancelled");
        h.cancel();
        co_await h;
        CHECK(h.cancelling() == 1);
    });
    CHECK(t.joined() == "b:cancelled b:ended E cancelled");
}

TEST_CASE("CAN-13 a part that fails because who gathers was asked to end: its error leaves, the request is delivered next") {
    for (const bool racing : {false, true}) {
        hook_log log;
        trace t;
        run(run_options().on_exception(log.hook()), [&]() -> task<> {
            // Asked once, though another part fails meanwhile: its clean-up is not disturbed.
            const auto cleans_up = [&]() -> task<int> {
                const auto asked = co_await settled(sleep_for(1h));
                for (int i = 0; i < 5; ++i) {
                    const auto left = co_await settled(yield());
                    CHECK(left.has_value());
                }
                throw std::runtime_error("E2");
            };
            auto h = spawn([&]() -> task<> {
                if (racing) {
                    const auto left = co_await settled(race(cleans_up, fails_when_asked<int>("E1")));
                    t.note(end_of(left));
                } else {
                    const auto left = co_await settled(gather(cleans_up, fails_when_asked<int>("E1")));
                    t.note(end_of(left));
                }
                const auto next = co_await settled(yield());
                t.note(end_of(next));
                co_await yield();
            });
            co_await yield();
            co_await yield();
            h.cancel();
            co_await h;
            CHECK(h.cancelling() == 1);
        });
        INFO(racing);
        CHECK(t.joined() == "E1 cancelled");
        CHECK(log.joined() == "E2");
    }
}

TEST_CASE("CAN-13 a timeout that expires before a part of a gather fails: the error leaves, no request is left") {
    run([]() -> task<> {
        const auto left = co_await settled(timeout(0s, gather(sleep_for(1h), fails_when_asked<int>("E"))));
        CHECK(end_of(left) == "E");
        CHECK(this_task::handle().cancelling() == 0);
        const auto next = co_await settled(yield());
        CHECK(next.has_value());
    });
}

TEST_CASE("CAN-13 a timeout around a gather ends its parts, and leaves no request behind") {
    trace t;
    run([&]() -> task<> {
        const auto left = co_await settled(timeout(1ms, gather(stubborn(t, "a"), sleep_for(1h))));
        CHECK(end_of(left) == "timed_out");
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();

        // It expires after the first error, while another part ends: the error leaves, the scope takes its request back.
        timeout_scope scope(1h);
        const auto expires_in_cleanup = [&]() -> task<> {
            const auto asked = co_await settled(sleep_for(1h));
            scope.reschedule(time_point::min());
            co_await sleep_for(1ms);
        };
        const auto failed = co_await settled(scope.run(gather(fails<int>("E", 1), expires_in_cleanup)));
        CHECK(end_of(failed) == "E");
        CHECK(scope.is_expired());
        CHECK(this_task::handle().cancelling() == 0);
        co_await yield();
    });
    CHECK(t.joined() == "a:cancelled a:ended");
}

TEST_CASE("CAN-13 a gather that can't start all of its parts asks those that began to end, and says why") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        task<int> used = gives(1, 0);
        const int value = co_await std::move(used);
        CHECK(value == 1);
        const auto left = co_await settled(gather(sleep_for(1h), sleep_for(1h), std::move(used)));
        CHECK(usage_of(left) == errc::already_awaited);
        for (int i = 0; i < 3; ++i)
            co_await yield();
        CHECK(loop::current().counters().tasks == 1);
        CHECK(loop::current().counters().armed_timers == 0);
    });
    CHECK(log.empty());
}
