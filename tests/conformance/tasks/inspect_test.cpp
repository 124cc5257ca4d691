// inspect_test.cpp - the tree of tasks: who owns whom, where each stands, and since when.
#include <corun/corun.hpp>
#include <nlohmann/json.hpp>
#include <support/catch.hpp>
#include <support/turns.hpp>
#include <support/virtual_time.hpp>

#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

unsigned line_of_inner_await = 0;
unsigned line_of_outer_await = 0;

task<> inner(event& e) {
    line_of_inner_await = std::source_location::current().line() + 1;
    co_await e.wait();
}

task<> outer(event& e) {
    line_of_outer_await = std::source_location::current().line() + 1;
    co_await inner(e);
}

}

TEST_CASE("the tree says what each task waits for, where, through which coroutines, and since which turn") {
    run([]() -> task<> {
        event e;
        auto t = spawn(outer, std::ref(e));
        t.set_name("reader");
        const auto before = task_tree(loop::current());
        REQUIRE(before.size() == 2);
        CHECK(before[0].status == task_status::running);
        CHECK(before[1].status == task_status::not_started);
        CHECK(before[1].frames.size() == 1);   // the coroutine itself, where it was made

        co_await yield();
        const auto tree = task_tree(loop::current());
        REQUIRE(tree.size() == 2);
        CHECK(tree[0].frames.empty());
        const task_info& reader = tree[1];
        CHECK(reader.name == "reader");
        CHECK(reader.id == t.id());
        CHECK(reader.status == task_status::waiting);
        CHECK(reader.waits_for == "event");
        REQUIRE(reader.frames.size() == 2);
        CHECK(reader.frames[0].function.find("inner") != std::string::npos);
        CHECK(reader.frames[0].file.ends_with("inspect_test.cpp"));
        CHECK(reader.frames[0].line == line_of_inner_await);
        CHECK(reader.frames[1].function.find("outer") != std::string::npos);
        CHECK(reader.frames[1].line == line_of_outer_await);

        t.cancel();
        const auto asked = task_tree(loop::current());
        CHECK(asked[1].cancel_requests == 1);
        e.set();
        (void)co_await settled(t);
        CHECK(task_tree(loop::current()).size() == 1);
    });
}

TEST_CASE("since which turn, with that turn's reading of the clock") {
    run(virtual_time(), []() -> task<> {
        event e;
        co_await sleep_for(1500ms);
        auto t = spawn(outer, std::ref(e));
        co_await yield();
        const std::uint32_t turn = task_tree(loop::current())[1].since_turn;
        co_await sleep_for(1h);
        const auto tree = task_tree(loop::current());
        CHECK(tree[1].since_turn == turn);
        CHECK(tree[1].since == 1500ms);
        e.set();
        co_await t;
    });
}

TEST_CASE("tasks of groups and gathers stand beneath the task that waits for them, others beside it") {
    run([]() -> task<> {
        event e;
        auto free = spawn(outer, std::ref(e));
        auto owner = spawn([&e]() -> task<> {
            co_await with_task_group([&e](task_group& g) -> task<> {
                g.spawn(outer, std::ref(e));
                g.spawn([&e]() -> task<> { co_await gather(inner(e), inner(e)); });
                co_return;
            });
        });
        co_await yield();
        co_await yield();
        co_await yield();
        const auto tree = task_tree(loop::current());
        REQUIRE(tree.size() == 3);
        CHECK(tree[1].id == free.id());
        CHECK(tree[2].id == owner.id());
        CHECK(tree[2].waits_for == "children");
        REQUIRE(tree[2].children.size() == 2);
        CHECK(tree[2].children[0].children.empty());
        CHECK(tree[2].children[1].children.size() == 2);

        const std::string text = dump_tasks(loop::current());
        CHECK(text.find("task 1 runs, since turn") == 0);
        CHECK(text.find("\n    task") != std::string::npos);       // a child, indented
        CHECK(text.find("\n        task") != std::string::npos);   // and one of its own
        CHECK(text.find("inspect_test.cpp:" + std::to_string(line_of_inner_await) + ")") != std::string::npos);
        e.set();
        co_await owner;
        co_await free;
    });
}

TEST_CASE("a task that joins another one names it, and wrappers are at the place of their co_await") {
    run([]() -> task<> {
        event e;
        auto joined = spawn(outer, std::ref(e));
        unsigned line = 0;
        auto joining = spawn([&]() -> task<> {
            line = std::source_location::current().line() + 1;
            (void)co_await timeout(1h, settled(joined));
        });
        co_await yield();
        const auto tree = task_tree(loop::current());
        REQUIRE(tree.size() == 3);
        CHECK(tree[2].waits_for_task == joined.id());
        REQUIRE(tree[2].frames.size() == 1);
        CHECK(tree[2].frames[0].line == line);
        e.set();
        co_await joining;
    });
}

TEST_CASE("the tree as JSON has the same, on one line, whatever is in a name") {
    run([]() -> task<> {
        event e;
        auto t = spawn([&e]() -> task<> {
            co_await with_task_group([&e](task_group& g) -> task<> {
                g.spawn(outer, std::ref(e)).set_name("a \"b\"\\\n\x01");
                co_return;
            });
        });
        co_await yield();
        co_await yield();
        const std::string text = dump_tasks_json(loop::current());
        CHECK(text.find('\n') == std::string::npos);
        const auto json = nlohmann::json::parse(text);
        REQUIRE(json.size() == 2);
        CHECK(json[0]["id"] == 1);
        CHECK(json[0]["status"] == "running");
        CHECK(json[0].count("frames") == 0);
        const auto& child = json[1]["children"][0];
        CHECK(child["name"] == "a \"b\"\\\n\x01");
        CHECK(child["status"] == "waiting");
        CHECK(child["waits_for"] == "event");
        CHECK(child["frames"].size() == 2);
        CHECK(child["frames"][0]["line"] == line_of_inner_await);
        CHECK(child.count("since_turn") == 1);
        CHECK(child.count("since_ms") == 1);
        e.set();
        co_await t;
    });
}

TEST_CASE("TSK-52 a task that waits is shown with the turn in which it began to, not with that of its first step") {
    run([]() -> task<> {
        event never;
        std::uint64_t turn = 0;
        auto h = spawn([&]() -> task<> {
            for (int i = 0; i < 5; ++i)
                co_await yield();
            turn = turn_number();
            co_await never.wait();
        });
        for (int i = 0; i < 20; ++i)
            co_await yield();
        const auto tree = task_tree(loop::current());
        REQUIRE(tree.size() == 2);
        CHECK(tree[1].since_turn == turn);
        never.set();
        co_await h;
    });
}
