// task_test.cpp - spawned tasks: values, errors, handles, names.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/scale.hpp>
#include <support/trace.hpp>
#include <support/turns.hpp>
#include <support/usage.hpp>

#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

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
        CHECK(in_callback == errc::not_started);
    });
}

TEST_CASE("TSK-07 outside a loop there is no task and nothing can be spawned") {
    lifetimes of_capture;
    CHECK(usage_of([] { this_task::handle(); }) == errc::not_started);
    CHECK(usage_of([] { this_task::id(); }) == errc::not_started);
    CHECK(usage_of([] { this_task::name(); }) == errc::not_started);
    CHECK(usage_of([&] { spawn([captured = counted(of_capture)]() -> task<> { co_return; }); }) == errc::not_started);
    CHECK(of_capture.alive() == 0);
    const task_handle<> empty;
    CHECK_FALSE(bool(empty));
    CHECK(usage_of([&] { empty.cancel(); }) == errc::not_started);
}

TEST_CASE("TSK-08 a value is moved once into its place and once out of it, never copied") {
    run([]() -> task<> {
        lifetimes of_value;
        const auto makes = [&of_value]() -> task<counted> {
            counted value(of_value);
            co_await yield();
            co_return std::move(value);
        };
        {
            auto h = spawn(makes);
            auto& joined = co_await h;
            CHECK(of_value.moved == 1);
            const counted out = co_await std::move(h);
            CHECK(of_value.moved == 2);
            (void)joined;
        }
        CHECK(of_value.copied == 0);
        CHECK(of_value.alive() == 0);

        of_value = {};
        {
            const counted in_place = co_await makes();
            CHECK(of_value.moved == 2);
        }
        CHECK(of_value.copied == 0);
        CHECK(of_value.alive() == 0);
    });
}

TEST_CASE("TSK-08 a task may give a reference, a movable, nothing, or a megabyte") {
    struct megabyte {
        std::array<unsigned char, 1 << 20> bytes;
    };
    run([]() -> task<> {
        int object = 7;
        const auto refers = [&object]() -> task<int&> {
            co_await yield();
            co_return object;
        };
        auto reference = spawn(refers);
        int& by_handle = co_await reference;
        CHECK(&by_handle == &object);
        int& in_place = co_await refers();
        CHECK(&in_place == &object);

        const auto nothing = []() -> task<> { co_await yield(); };
        auto empty = spawn(nothing);
        static_assert(std::is_void_v<decltype(empty.get())>);
        co_await empty;
        co_await empty;

        const auto makes_big = []() -> task<std::unique_ptr<megabyte>> {
            auto big = std::make_unique<megabyte>();
            big->bytes.fill(0x5a);
            co_return big;
        };
        const auto big_value = [&]() -> task<megabyte> {
            const auto made = co_await makes_big();
            co_return *made;
        };
        auto h = spawn(big_value);
        const megabyte& big = co_await h;
        CHECK(big.bytes.front() == 0x5a);
        CHECK(big.bytes.back() == 0x5a);
    });
}

TEST_CASE("TSK-09 a value is destroyed once, on the loop's thread, when the last handle goes") {
    lifetimes of_kept;
    lifetimes of_dropped;
    lifetimes of_left;
    run([&]() -> task<> {
        const auto makes = [](lifetimes& l) -> task<counted> { co_return counted(l); };
        {
            auto h = spawn(makes, std::ref(of_kept));
            co_await h;
            const auto copy = h;
            h = {};
            CHECK(of_kept.alive() == 1);
        }
        CHECK(of_kept.alive() == 0);

        spawn(makes, std::ref(of_dropped));
        co_await yield();
        CHECK(of_dropped.made > 0);
        CHECK(of_dropped.alive() == 0);

        auto outlives_main = std::make_shared<task_handle<counted>>(spawn(makes, std::ref(of_left)));
        loop::current().call_after(1h, [outlives_main] {});
        co_await yield();
    });
    CHECK(of_left.made > 0);
    for (const lifetimes* l : {&of_kept, &of_dropped, &of_left}) {
        CHECK(l->alive() == 0);
        CHECK(l->destroyed_on == std::this_thread::get_id());
    }
}

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

TEST_CASE("TSK-14 a spawn that gets no memory throws bad_alloc and leaves nothing half made, whichever allocation fails") {
    run([]() -> task<> {
        // Larger than what the free lists keep: each piece of a task asks the system.
        using ballast = std::array<char, 4096>;
        lifetimes of_argument;
        int ended = 0;
        const auto big = [&ended](ballast, counted) -> task<> {
            ballast local{};
            co_await yield();
            ended += 1 + local[0];
        };
        const auto tasks = loop::current().counters().tasks;
        const auto frames = live_frames();
        const auto bytes = allocated_bytes();

        int failures = 0;
        for (std::size_t nth = 1;; ++nth) {
            task_handle<> h;
            bool failed = false;
            {
                const failing_allocation failing(nth);
                try {
                    h = spawn(big, ballast(), counted(of_argument));
                } catch (const std::bad_alloc&) {
                    failed = true;
                }
                CHECK(failed == failing.has_failed());
            }
            if (!failed) {
                CHECK(loop::current().counters().tasks == tasks + 1);
                co_await h;
                break;
            }
            ++failures;
            CHECK(loop::current().counters().tasks == tasks);
            CHECK(live_frames() == frames);
            CHECK(of_argument.alive() == 0);
            CHECK(allocated_bytes() <= bytes);
        }
        CHECK(failures >= 1);
        CHECK(ended == 1);
        CHECK(of_argument.alive() == 0);
    });
}

TEST_CASE("TSK-15 a hundred thousand live tasks each yield once and end; their memory is given back") {
    const auto count = scaled(100'000);
    run([&]() -> task<> {
        std::size_t ended = 0;
        const auto yields_once = [&ended]() -> task<> {
            co_await yield();
            ++ended;
        };
        const auto frames = live_frames();
        const auto spawn_them_all = [&] {
            for (std::size_t i = 0; i < count; ++i)
                spawn(yields_once);
        };
        spawn_them_all();
        CHECK(loop::current().counters().tasks == count + 1);
        co_await yield();
        CHECK(live_frames() == frames + count);
        CHECK(ended == 0);
        co_await yield();
        CHECK(ended == count);
        CHECK(live_frames() == frames);
        CHECK(loop::current().counters().tasks == 1);

        const auto after_first = allocated_bytes();
        spawn_them_all();
        co_await yield();
        co_await yield();
        CHECK(ended == 2 * count);
        CHECK(allocated_bytes() < after_first + 10'000);
    });
}

TEST_CASE("TSK-16 a task_local is copied at spawn, and changes don't leak back") {
    static task_local<std::string> colour("none");
    trace t;
    run([&]() -> task<> {
        t.note(colour.get());
        colour.set("red");
        const auto in_place = []() -> task<> {
            colour.set(colour.get() + "-in-place");
            co_return;
        };
        const auto child = [&]() -> task<> {
            t.note("child:" + colour.get());
            colour.set("blue");
            co_await yield();
            const auto grandchild = [&t]() -> task<> {
                t.note("grandchild:" + colour.get());
                co_return;
            };
            co_await spawn(grandchild);
            t.note("child:" + colour.get());
        };
        auto h = spawn(child);
        colour.set("green");   // after the copy was taken
        co_await h;
        t.note(colour.get());
        co_await in_place();   // the same task: seen here
        t.note(colour.get());
    });
    CHECK(t.joined() == "none child:red grandchild:blue child:blue green green-in-place");
    run([&]() -> task<> {
        CHECK(colour.get() == "none");
        co_return;
    });
}
