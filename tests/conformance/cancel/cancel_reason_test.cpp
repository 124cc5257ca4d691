// cancel_reason_test.cpp - who asked a task to end, and where: as the task sees it, in dumps, in debug mode's words.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/virtual_time.hpp>

#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdint>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// The line below the call.
unsigned next_line(std::source_location here = std::source_location::current()) { return here.line() + 1; }

/// "timeout 40" for a reason with a place in this file, "shut down" for one without a place.
std::string seen(const cancel_reason& reason) {
    const std::string who(to_string(reason.origin));
    if (!reason.file)
        return who;
    return who + (std::string_view(reason.file).ends_with("cancel_reason_test.cpp") ? " " : " elsewhere ") + std::to_string(reason.line);
}

std::string expected(std::string_view who, unsigned line) { return std::string(who) + " " + std::to_string(line); }

/// Waits until it is asked to end, and keeps what it sees of that; ends with the cancel.
task<> wait_and_look(std::string& why) {
    const auto end = co_await settled(sleep_for(1h));
    why = seen(this_task::why_cancelled());
    end.rethrow();
}

task<> fails() {
    co_await yield();
    throw std::runtime_error("of a child");
}

}

TEST_CASE("CAN-43 a request by a handle, a group or a submission is explicit, with the line of the call; the last one counts") {
    run([]() -> task<> {
        std::string why;
        auto h = spawn(wait_and_look, std::ref(why));
        CHECK(h.why_cancelled() == cancel_reason());
        CHECK(this_task::why_cancelled() == cancel_reason());
        co_await yield();
        h.cancel();
        const unsigned of_handle = next_line();
        h.cancel();
        CHECK(seen(h.why_cancelled()) == expected("explicit", of_handle));
        co_await wait(h);
        CHECK(why == expected("explicit", of_handle));
        CHECK(seen(h.why_cancelled()) == why);   // of an ended task, too

        std::string of_child;
        unsigned of_group = 0;
        co_await with_task_group([&](task_group& g) -> task<> {
            g.spawn(wait_and_look, std::ref(of_child));
            co_await yield();
            of_group = next_line();
            g.cancel();
            const auto end = co_await settled(sleep_for(1h));
            CHECK(seen(this_task::why_cancelled()) == expected("explicit", of_group));
            end.rethrow();
        });
        CHECK(of_child == expected("explicit", of_group));
        CHECK(this_task::why_cancelled() == cancel_reason());

        std::string of_submitted;
        auto future = submit(loop::current().ref(), [&] { return wait_and_look(of_submitted); });
        co_await yield();
        co_await yield();
        const unsigned of_submission = next_line();
        future.cancel();
        const auto end = co_await settled(in_thread(std::move(future)));
        CHECK(end.is_error());
        CHECK(of_submitted == expected("explicit", of_submission));
    });
}

TEST_CASE("CAN-44 what a timeout asks of a task is its own, with the line of its call") {
    run([]() -> task<> {
        std::string why;
        unsigned line = next_line();
        auto end = co_await settled(timeout(1ms, wait_and_look(why)));
        CHECK(end.is_error());
        CHECK(why == expected("timeout", line));
        CHECK(this_task::why_cancelled() == cancel_reason());

        timeout_scope scope(0s);
        line = next_line();
        end = co_await settled(scope.run(wait_and_look(why)));
        CHECK(end.is_error());
        CHECK(why == expected("timeout", line));
    });
}

TEST_CASE("CAN-53 a timeout's place is the program's also where the library awaits it: in a task of its own, in gather(), in race()") {
    run([]() -> task<> {
        std::string why;
        unsigned line = next_line();
        auto spawned = spawn(timeout(1ms, wait_and_look(why)));
        co_await wait(spawned);
        CHECK(spawned.error() != nullptr);
        CHECK(why == expected("timeout", line));

        line = next_line();
        auto end = co_await settled(gather(timeout_at(clock::now(), wait_and_look(why)), sleep_for(0s)));
        CHECK(end.is_error());
        CHECK(why == expected("timeout", line));

        line = next_line();
        const auto raced = co_await settled(race(wait_for(wait_and_look(why), 1ms), sleep_for(1h)));
        CHECK(raced.is_error());
        CHECK(why == expected("timeout", line));

        timeout_scope scope(1ms);
        line = next_line();
        end = co_await settled(gather(scope.run(wait_and_look(why)), sleep_for(0s)));
        CHECK(end.is_error());
        CHECK(why == expected("timeout", line));
    });
}

TEST_CASE("CAN-45 a group, a gather and a race ask for reasons of their own, with the line of their call") {
    run([]() -> task<> {
        std::string child;
        std::string body;
        unsigned line = 0;
        const auto group = [&]() -> task<> {
            line = next_line();
            co_await with_task_group([&](task_group& g) -> task<> {
                g.spawn(wait_and_look, std::ref(child));
                g.spawn(fails);
                co_await wait_and_look(body);
            });
        };
        auto end = co_await settled(group);
        CHECK(end.is_error());
        CHECK(child == expected("failed group", line));
        CHECK(body == child);

        const auto failing_body = [&]() -> task<> {
            line = next_line();
            co_await with_task_group([&](task_group& g) -> task<> {
                g.spawn(wait_and_look, std::ref(child));
                co_await fails();
            });
        };
        end = co_await settled(failing_body);
        CHECK(child == expected("failed group", line));

        const auto gathering = [&]() -> task<> {
            line = next_line();
            co_await gather(wait_and_look(child), fails());
        };
        end = co_await settled(gathering);
        CHECK(child == expected("failed group", line));

        line = next_line();
        (void)co_await race(wait_and_look(child), yield());
        CHECK(child == expected("lost race", line));

        // A gather that is the whole of a task is awaited nowhere.
        auto alone = spawn(gather(wait_and_look(child), fails()));
        co_await wait(alone);
        CHECK(alone.error() != nullptr);
        CHECK(child == "failed group");
        CHECK(this_task::why_cancelled() == cancel_reason());
    });
}

TEST_CASE("CAN-54 a gather or a race that the library awaits has the place where the program awaits what it is in, or none") {
    run([]() -> task<> {
        std::string child;
        unsigned line = next_line();
        auto end = co_await settled(finally(gather(wait_and_look(child), fails()), yield()));
        CHECK(end.is_error());
        CHECK(child == expected("failed group", line));

        const auto gathers = [&](task_group&) { return gather(wait_and_look(child), fails()); };
        line = next_line();
        end = co_await settled(with_task_group(gathers));
        CHECK(end.is_error());
        CHECK(child == expected("failed group", line));

        const auto in_race = co_await settled(race(gather(wait_and_look(child), fails()), sleep_for(1h)));
        CHECK(in_race.is_error());
        CHECK(child == "failed group");

        end = co_await settled(gather(timeout(1h, gather(wait_and_look(child), fails())), sleep_for(0s)));
        CHECK(end.is_error());
        CHECK(child == "failed group");

        auto alone = spawn(timeout(1h, race(wait_and_look(child), yield())));
        co_await wait(alone);
        CHECK(child == "lost race");
    });
}

TEST_CASE("CAN-46 the end of a run asks as such") {
    std::string why;
    run([&]() -> task<> {
        spawn(wait_and_look, std::ref(why));
        co_await yield();
    });
    CHECK(why == "shut down");
}

TEST_CASE("CAN-47 an interrupt asks main as such") {
    const auto child = os::run_in_child([] {
        run([]() -> task<> {
            loop::current().call_soon([] { os::raise_signal(SIGINT); });
            (void)co_await settled(sleep_for(1h));
            os::say(seen(this_task::why_cancelled()));
        });
        return 0;
    });
    CHECK(child.output == "interrupt");
    CHECK(child.code == 0);
}

TEST_CASE("CAN-48 a request keeps its reason on its way through joins and scopes") {
    run([]() -> task<> {
        std::string joined;
        std::string in_group;
        std::string in_gather;
        auto target = spawn(wait_and_look, std::ref(joined));
        auto joining = spawn([&]() -> task<> { co_await target; });
        auto grouping = spawn([&]() -> task<> {
            co_await with_task_group([&](task_group& g) -> task<> {
                g.spawn(wait_and_look, std::ref(in_group));
                co_return;
            });
        });
        auto gathering = spawn([&]() -> task<> { co_await gather(wait_and_look(in_gather), sleep_for(1h)); });
        for (int turn = 0; turn < 4; ++turn)
            co_await yield();
        unsigned line = 0;
        for (const task_ref& t : {task_ref(joining), task_ref(grouping), task_ref(gathering)}) {
            line = next_line();
            t.cancel();
        }
        co_await wait(joining, grouping, gathering);
        CHECK(joined == expected("explicit", line));
        CHECK(in_group == joined);
        CHECK(in_gather == joined);

        // One that is pending when the join begins.
        auto second = spawn(wait_and_look, std::ref(joined));
        auto late = spawn([&]() -> task<> {
            this_task::handle().cancel();
            co_await second;
        });
        const unsigned asked_at = next_line() - 4;
        co_await wait(late);
        CHECK(joined == expected("explicit", asked_at));
    });
}

TEST_CASE("CAN-49 what a timeout takes back leaves the reason of an earlier request that was not") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> {
            (void)co_await settled(sleep_for(1h));   // swallows the first request
            const std::string first = seen(this_task::why_cancelled());
            const auto timed = co_await settled(timeout(1ms, sleep_for(1h)));
            CHECK(timed.is_error());
            CHECK(this_task::handle().cancelling() == 1);
            CHECK(seen(this_task::why_cancelled()) == first);

            const auto group = []() -> task<> {
                co_await with_task_group([](task_group& g) -> task<> {
                    g.cancel();
                    co_await yield();
                });
            };
            const auto quiet = co_await settled(group);
            CHECK(quiet.has_value());
            CHECK(seen(this_task::why_cancelled()) == first);

            this_task::handle().uncancel();
            CHECK(this_task::why_cancelled() == cancel_reason());
        });
        co_await yield();
        h.cancel();
        co_await h;
    });
}

TEST_CASE("CAN-55 scopes that ask one inside the other, the outer one first, each give the reason back that was there before") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> {
            (void)co_await settled(sleep_for(1h));   // swallows the first request
            const std::string first = seen(this_task::why_cancelled());
            unsigned outer = 0;
            const auto swallows = [&]() -> task<> {
                (void)co_await settled(sleep_for(1h));
                CHECK(seen(this_task::why_cancelled()) == expected("timeout", outer));
                std::string why;
                const unsigned inner = next_line();
                const auto timed = co_await settled(timeout(1ms, wait_and_look(why)));
                CHECK(timed.is_error());
                CHECK(why == expected("timeout", inner));
                CHECK(seen(this_task::why_cancelled()) == expected("timeout", outer));
            };
            outer = next_line();
            const auto left = co_await settled(timeout(1ms, swallows));
            CHECK(left.has_value());
            CHECK(this_task::handle().cancelling() == 1);
            CHECK(seen(this_task::why_cancelled()) == first);
        });
        co_await yield();
        h.cancel();
        co_await h;
    });
}

TEST_CASE("CAN-56 of scopes that ask one inside the other, the inner one first, the last one's reason stays until that is taken back") {
    run(virtual_time(), []() -> task<> {
        std::uint32_t below = 0;
        unsigned outer = 0;
        const auto body = [&]() -> task<> {
            const auto swallows = []() -> task<> {
                (void)co_await settled(sleep_for(1h));   // for the inner one,
                (void)co_await settled(sleep_for(1h));   // for the outer one
            };
            const auto left = co_await settled(timeout(1ms, swallows));
            CHECK(left.has_value());
            CHECK(this_task::handle().cancelling() == below + 1);
            CHECK(seen(this_task::why_cancelled()) == expected("timeout", outer));
        };
        outer = next_line();
        const auto left = co_await settled(timeout(20ms, body));
        CHECK(left.has_value());
        CHECK(this_task::handle().cancelling() == 0);
        CHECK(this_task::why_cancelled() == cancel_reason());

        // With a request below them that nobody takes back, it is the count that is exact.
        this_task::handle().cancel();
        (void)co_await settled(yield());
        below = 1;
        outer = next_line();
        const auto again = co_await settled(timeout(20ms, body));
        CHECK(again.has_value());
        CHECK(this_task::handle().cancelling() == 1);
        CHECK(this_task::why_cancelled().origin != cancel_origin::none);
        CHECK(this_task::handle().uncancel() == 0);
        CHECK(this_task::why_cancelled() == cancel_reason());
    });
}

TEST_CASE("CAN-57 after two requests and one uncancel() the last one's reason stays until the count is 0") {
    run([]() -> task<> {
        auto h = spawn([]() -> task<> { (void)co_await settled(sleep_for(1h)); });
        co_await yield();
        h.cancel();
        const unsigned last = next_line();
        h.cancel();
        CHECK(h.uncancel() == 1);
        CHECK(seen(h.why_cancelled()) == expected("explicit", last));
        CHECK(h.uncancel() == 0);
        CHECK(h.why_cancelled() == cancel_reason());
        co_await h;
    });
}

TEST_CASE("CAN-50 dumps tell the last request's origin and place beside the count, as text and as JSON") {
    run([]() -> task<> {
        const auto swallows = []() -> task<> {
            for (int i = 0; i < 2; ++i)
                (void)co_await settled(sleep_for(1h));
        };
        auto h = spawn(swallows);
        co_await yield();
        const unsigned once = next_line();
        h.cancel();
        const std::string text = dump_tasks(loop::current());
        CHECK(text.find(", asked to end 1 time (explicit at ") != std::string::npos);
        CHECK(text.find("cancel_reason_test.cpp:" + std::to_string(once) + "), since turn") != std::string::npos);

        co_await yield();
        co_await yield();
        const unsigned twice = next_line();
        h.cancel();
        const auto tree = task_tree(loop::current());
        REQUIRE(tree.size() == 2);
        CHECK(tree[0].why == cancel_reason());
        CHECK(seen(tree[1].why) == expected("explicit", twice));
        CHECK(dump_tasks(loop::current()).find(", asked to end 2 times (last: explicit at ") != std::string::npos);

        const auto json = nlohmann::json::parse(dump_tasks_json(loop::current()));
        CHECK(json[0].count("why") == 0);
        CHECK(json[1]["cancel_requests"] == 2);
        CHECK(json[1]["why"]["origin"] == "explicit");
        CHECK(json[1]["why"]["file"].get<std::string>().ends_with("cancel_reason_test.cpp"));
        CHECK(json[1]["why"]["line"] == twice);
    });
}

TEST_CASE("CAN-51 debug mode's report of a swallowed request, and shut down's of a task that does not stop, say who asked") {
    hook_log log;
    unsigned line = 0;
    run(run_options().debug(true).shutdown_grace(1ms).on_exception(log.hook()), [&]() -> task<> {
        auto swallows = spawn([]() -> task<> { (void)co_await settled(sleep_for(1h)); });
        spawn([]() -> task<> {
            for (;;)
                (void)co_await settled(sleep_for(1h));
        });
        co_await yield();
        line = next_line();
        swallows.cancel();
        co_await swallows;
    });
    REQUIRE(log.size() == 2);
    CHECK(log.reports()[0].message == "a request to end was swallowed");
    CHECK(log.reports()[0].what.find("asked to end 1 time (explicit at ") != std::string::npos);
    CHECK(log.reports()[0].what.find("cancel_reason_test.cpp:" + std::to_string(line) + ")") != std::string::npos);
    CHECK(log.reports()[1].message == "a task did not stop within the shutdown grace");
    CHECK(log.reports()[1].what.find("asked to end 1 time (shut down)") != std::string::npos);
}

TEST_CASE("CAN-52 a reason is 16 bytes and a request allocates nothing") {
    static_assert(sizeof(cancel_reason) <= 16);
    run([]() -> task<> {
        std::string why;
        auto h = spawn(wait_and_look, std::ref(why));
        co_await yield();
        {
            const failing_allocation none(1);
            h.cancel();
            CHECK(h.why_cancelled().origin == cancel_origin::explicit_call);
            CHECK_FALSE(none.has_failed());
        }
        co_await wait(h);
    });
}
