// barrier_test.cpp - all or none pass; a broken barrier tells everybody.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

/// Waits at the barrier; notes its number, "broken", or "cancelled".
task<> passes(trace& t, barrier& b, std::string name) {
    auto end = co_await settled(b.wait());
    if (end.has_value())
        t.note(name + std::to_string(end.value()));
    else if (end.is_cancelled())
        t.note(name + " cancelled");
    else
        t.note(name + " broken");
}

task<> some_turns() {
    for (int i = 0; i < 12; ++i)
        co_await yield();
}

}

TEST_CASE("SYN-16 a barrier of four lets nobody pass before the fourth, and numbers them in order of arrival, again and again") {
    trace t;
    run([&t]() -> task<> {
        barrier b(4);
        for (int round = 0; round < 2; ++round) {
            for (const char* const name : {"a", "b", "c"})
                spawn(passes(t, b, name));
            co_await some_turns();
            CHECK(t.empty());
            CHECK(b.waiting() == 3);
            co_await passes(t, b, "d");
            co_await some_turns();
            auto order = t.events();
            std::sort(order.begin(), order.end());
            CHECK(order == std::vector<std::string>{"a0", "b1", "c2", "d3"});
            CHECK(b.waiting() == 0);
            t.clear();
        }
    });
}

TEST_CASE("SYN-16 abort breaks a barrier for those who wait and those who come, until it is reset") {
    trace t;
    run([&t]() -> task<> {
        barrier b(4);
        spawn(passes(t, b, "a"));
        spawn(passes(t, b, "b"));
        co_await some_turns();
        co_await b.abort();
        CHECK(b.is_broken());
        co_await some_turns();
        CHECK(t.joined() == "a broken b broken");
        co_await passes(t, b, "c");
        CHECK(t.joined() == "a broken b broken c broken");

        t.clear();
        co_await b.reset();
        CHECK_FALSE(b.is_broken());
        for (const char* const name : {"a", "b", "c", "d"})
            spawn(passes(t, b, name));
        co_await some_turns();
        CHECK(t.events().size() == 4);
        CHECK(t.joined().find("broken") == std::string::npos);
    });
}

TEST_CASE("SYN-16 reset breaks the wait of those who are there, and the barrier is as new") {
    trace t;
    run([&t]() -> task<> {
        barrier b(2);
        spawn(passes(t, b, "a"));
        co_await some_turns();
        co_await b.reset();
        co_await some_turns();
        CHECK(t.joined() == "a broken");
        CHECK_FALSE(b.is_broken());
        spawn(passes(t, b, "b"));
        spawn(passes(t, b, "c"));
        co_await some_turns();
        CHECK(t.events().size() == 3);
        CHECK(t.joined().find("c1") != std::string::npos);
    });
}

TEST_CASE("SYN-16 a waiter that is cancelled counts as not having come") {
    trace t;
    run([&t]() -> task<> {
        barrier b(2);
        auto leaves = spawn(passes(t, b, "a"));
        co_await some_turns();
        leaves.cancel();
        co_await some_turns();
        CHECK(t.joined() == "a cancelled");
        CHECK(b.waiting() == 0);
        spawn(passes(t, b, "b"));
        co_await some_turns();
        CHECK(t.joined() == "a cancelled");
        spawn(passes(t, b, "c"));
        co_await some_turns();
        CHECK(t.events().size() == 3);
    });
}

TEST_CASE("SYN-16 a barrier for nobody is refused") {
    CHECK(usage_of([] { barrier(0); }) == errc::invalid_argument);
}
