// poll_test.cpp - a guest in steps: run_once, run_for, run_until, and in a poll of the program's own.
#include <corun/corun.hpp>
#include <corun/poll_host.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include <optional>
#include <utility>

#include <poll.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Three tasks that note their names twice, in the order that run() gives.
task<> notes(trace& t) {
    const auto twice = [&t](const char* name) -> task<> {
        t.note(name);
        co_await yield();
        t.note(name);
    };
    auto a = spawn(twice, "a");
    auto b = spawn(twice, "b");
    co_await a;
    co_await b;
    co_await sleep_for(1ms);
    t.note("c");
}

constexpr const char* expected = "a b a b c";

}

TEST_CASE("EMB-01 run_once(0), run_once(t) and run_until give the order that run() gives") {
    trace natively;
    run([&]() -> task<> { co_await notes(natively); });
    CHECK(natively.joined() == expected);

    const auto hosted = [](auto turn) {
        trace t;
        guest g;
        poll_host host(g);
        g.start([&]() -> task<> { co_await notes(t); }, [](outcome<void>) {});
        while (!g.is_finished())
            turn(host);
        return t.joined();
    };
    CHECK(hosted([](poll_host& h) { h.run_once(0ms); }) == expected);
    CHECK(hosted([](poll_host& h) { h.run_once(5ms); }) == expected);
    CHECK(hosted([](poll_host& h) { h.run_once(); }) == expected);
    CHECK(hosted([](poll_host& h) { h.run_until([] { return false; }); }) == expected);
    CHECK(hosted([](poll_host& h) { h.run(); }) == expected);
}

TEST_CASE("EMB-01 a loop of the program's own polls what prepare() names, for as long as it says") {
    trace t;
    guest g;
    poll_host host(g);
    g.start([&]() -> task<> { co_await notes(t); }, [](outcome<void>) {});
    bool is_over = false;
    while (!is_over) {
        pollfd to_poll;
        const int milliseconds = host.prepare(to_poll);
        ::poll(&to_poll, 1, milliseconds);
        is_over = host.dispatch().finished;
    }
    CHECK(t.joined() == expected);
}

TEST_CASE("EMB-04 run_for returns in time with work outstanding, and what was begun goes on later") {
    guest g;
    poll_host host(g);
    bool done = false;
    g.start(
        [&]() -> task<> {
            co_await sleep_for(60ms);
            done = true;
        },
        [](outcome<void>) {});
    const time_point before = g.get_loop().time();
    CHECK_FALSE(host.run_for(20ms));
    const duration took = g.get_loop().time() - before;
    CHECK(took >= 20ms);
    CHECK_FALSE(done);
    CHECK(host.run_for(1h));
    CHECK(done);
}

TEST_CASE("EMB-04 a guest that was not started keeps run() from nothing") {
    guest g;
    poll_host host(g);
    host.run();
    CHECK_FALSE(host.run_for(1ms));
}
