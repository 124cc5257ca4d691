// task_local_test.cpp - values that go with a task.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include <string>

using namespace corun;
using namespace testing;

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
