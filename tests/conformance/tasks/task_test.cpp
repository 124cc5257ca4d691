// task_test.cpp - spawned tasks: values, errors, handles, names.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("TSK-01 a spawned task's value may be awaited again and again, the same object each time") {
    run([]() -> task<> {
        const auto makes = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        auto h = spawn(makes);
        static_assert(std::is_same_v<decltype(h), task_handle<std::unique_ptr<int>>>);
        auto& first = co_await h;
        static_assert(std::is_same_v<decltype(first), std::unique_ptr<int>&>);
        auto& second = co_await h;
        CHECK(*first == 7);
        CHECK(&first == &second);
        CHECK(&h.get() == &first);

        const auto moved = co_await std::move(h);
        CHECK(*moved == 7);
    });
}

TEST_CASE("TSK-02 what a task throws is rethrown at the await, each time, and not reported") {
    hook_log log;
    run(run_options().on_exception(log.hook()), []() -> task<> {
        const auto fails = []() -> task<int> {
            co_await yield();
            throw std::runtime_error("E");
        };
        auto h = spawn(fails);
        const auto first = co_await settled(h);
        CHECK(text_of(first.error()) == "E");
        const auto second = co_await settled(h);
        CHECK(second.error() == first.error());
        CHECK(h.error() == first.error());
        CHECK_FALSE(h.is_cancelled());

        const auto in_place = co_await settled(fails());
        CHECK(text_of(in_place.error()) == "E");
    });
    CHECK(log.empty());
}

TEST_CASE("TSK-03 a failed task that nobody looked at is reported once, when its last handle goes") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto fails = []() -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        {
            auto h = spawn(fails);
            h.set_name("unlucky");
            const auto other = h;
            co_await yield();
            CHECK(h.is_done());
            co_await yield();
            CHECK(log.empty());
        }
        REQUIRE(log.size() == 1);
        CHECK(log.reports()[0].what == "E");
        CHECK(log.reports()[0].task_name == "unlucky");
        CHECK(log.reports()[0].task_id == 2);
    });
    CHECK(log.size() == 1);
}

TEST_CASE("TSK-03 a failed task without a handle is reported at its end") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto fails = []() -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        spawn(fails);
        CHECK(log.empty());
        co_await yield();
        CHECK(log.joined() == "E");
    });
    CHECK(log.size() == 1);
}

TEST_CASE("TSK-03 looking at the error counts as handling it; a cancelled task is no failure") {
    hook_log log;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        const auto fails = []() -> task<> {
            throw std::runtime_error("E");
            co_return;
        };
        auto h = spawn(fails);
        auto sleeper = spawn([]() -> task<> { co_await sleep_for(1h); });
        co_await yield();
        CHECK(text_of(h.error()) == "E");
        sleeper.cancel();
        co_await yield();
        CHECK(sleeper.is_cancelled());
        CHECK(sleeper.error() == nullptr);
    });
    CHECK(log.empty());
}

TEST_CASE("TSK-04 a finished task is awaited without a turn") {
    run([]() -> task<> {
        const auto seven = []() -> task<int> { co_return 7; };
        auto h = spawn(seven);
        co_await yield();
        CHECK(h.is_done());
        const auto before = turn_number();
        const int value = co_await h;
        CHECK(value == 7);
        CHECK(turn_number() == before);
    });
}

TEST_CASE("TSK-05 a task that awaits itself is refused, and goes on") {
    run([]() -> task<> {
        task_handle<> self;
        bool went_on = false;
        const auto joins_itself = [&]() -> task<> {
            std::optional<errc> refused;
            try {
                co_await self;
            } catch (const usage_error& e) {
                refused = e.code();
            }
            CHECK(refused == errc::self_await);
            const auto left = co_await settled(self);
            CHECK(usage_of(left) == errc::self_await);
            co_await yield();
            went_on = true;
        };
        self = spawn(joins_itself);
        co_await self;
        CHECK(went_on);
    });
}

TEST_CASE("TSK-06 a task whose handle is dropped goes on") {
    trace t;
    run([&]() -> task<> {
        event over;
        {
            auto h = spawn([&]() -> task<> {
                t.note("began");
                co_await sleep_for(2ms);
                t.note("ended");
                over.set();
            });
        }
        co_await over.wait();
    });
    CHECK(t.joined() == "began ended");
}

TEST_CASE("TSK-06 what a task was made from and given lives as long as it") {
    run([]() -> task<> {
        lifetimes of_capture;
        lifetimes of_argument;
        event go;
        auto h = spawn(
            [&, captured = counted(of_capture)](counted) -> task<bool> {
                co_await go.wait();
                co_return of_capture.alive() == 1 && of_argument.alive() >= 1;
            },
            counted(of_argument));
        co_await yield();
        go.set();
        const bool alive = co_await h;
        CHECK(alive);
        CHECK(of_capture.copied == 0);
        CHECK(of_argument.copied == 0);
        h = {};
        CHECK(of_capture.alive() == 0);
        CHECK(of_argument.alive() == 0);
    });
}

TEST_CASE("TSK-07 tasks have a name and a number, and know themselves") {
    run([]() -> task<> {
        CHECK(this_task::id() == 1);
        CHECK(this_task::name() == "task-1");
        this_task::set_name("main");
        CHECK(this_task::handle().name() == "main");

        const auto looks = []() -> task<std::string> {
            const auto in_place = []() -> task<std::uint64_t> { co_return this_task::id(); };
            const auto id = co_await in_place();
            CHECK(id == this_task::id());
            co_return this_task::name() + "/" + std::to_string(id);
        };
        auto plain = spawn(looks);
        auto named = spawn(looks);
        named.set_name("second");
        CHECK(plain.id() == 2);
        CHECK(named.id() == 3);
        CHECK(plain.name() == "task-2");
        CHECK(this_task::id() == 1);

        const auto all = loop::current().all_tasks();
        REQUIRE(all.size() == 3);
        CHECK(all[0] == this_task::handle());
        CHECK(all[1] == plain);
        CHECK(all[2] == named);

        const std::string of_plain = co_await plain;
        CHECK(of_plain == "task-2/2");
        const std::string of_named = co_await named;
        CHECK(of_named == "second/3");
        CHECK(loop::current().all_tasks().size() == 1);

        std::optional<errc> in_callback;
        loop::current().call_soon([&] { in_callback = usage_of([] { this_task::handle(); }); });
        co_await yield();
        CHECK(in_callback == errc::no_running_task);
    });
}

TEST_CASE("TSK-07 outside a loop there is no task and nothing can be spawned") {
    lifetimes of_capture;
    CHECK(usage_of([] { this_task::handle(); }) == errc::no_running_loop);
    CHECK(usage_of([] { this_task::id(); }) == errc::no_running_loop);
    CHECK(usage_of([] { this_task::name(); }) == errc::no_running_loop);
    CHECK(usage_of([&] { spawn([captured = counted(of_capture)]() -> task<> { co_return; }); }) == errc::no_running_loop);
    CHECK(of_capture.alive() == 0);
    const task_handle<> empty;
    CHECK_FALSE(bool(empty));
    CHECK(usage_of([&] { empty.cancel(); }) == errc::empty_handle);
}
