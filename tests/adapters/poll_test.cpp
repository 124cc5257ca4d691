// poll_test.cpp - a guest in steps: run_once, run_for, run_until, and in a poll of the program's own.
#include <corun/corun.hpp>
#include <corun/poll_host.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> twice(trace& t, const char* name) {
    t.note(name);
    co_await yield();
    t.note(name);
}

/// Three tasks that note their names twice, in the order that run() gives.
task<> notes(trace& t) {
    auto a = spawn(&twice, std::ref(t), "a");
    auto b = spawn(&twice, std::ref(t), "b");
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

// The cases RDY and TMR themselves run in this host in tests/hosts.
TEST_CASE(
    "EMB-02 in a loop that polls the handle beside its own and calls run_once(0), ready tasks, timers and requests have run()'s order") {
    const auto program = [](trace& t) -> task<> {
        loop& l = loop::current();
        auto waits = spawn([&t]() -> task<> {
            const auto left = co_await settled(sleep_for(1h));
            t.note(left.is_cancelled() ? "cancelled" : "?");
        });
        l.call_soon([&t] { t.note("soon"); });
        auto a = spawn(&twice, std::ref(t), "a");
        auto b = spawn(&twice, std::ref(t), "b");
        co_await yield();
        waits.cancel();
        co_await a;
        co_await b;
        co_await waits;

        const time_point later = l.time() + 2ms;
        for (const char* const name : {"t1", "t2", "t3"})
            l.call_at(later, [&t, name] { t.note(name); });
        l.call_at(later - 1ms, [&t] { t.note("t0"); });
        co_await sleep_until(later);
        t.note("main");
    };
    trace natively;
    run([&]() -> task<> { co_await program(natively); });

    trace t;
    guest g;
    poll_host host(g);
    g.start([&]() -> task<> { co_await program(t); }, [](outcome<void>) {});
    std::array<int, 2> own{};
    REQUIRE(::pipe(own.data()) == 0);
    int heard = 0;
    while (!g.is_finished()) {
        std::array<pollfd, 2> both{};
        const int milliseconds = host.prepare(both[0]);
        both[1] = {.fd = own[0], .events = POLLIN, .revents = 0};
        if (heard == 0)
            REQUIRE(::write(own[1], "x", 1) == 1);
        ::poll(both.data(), both.size(), milliseconds);
        char byte = 0;
        if (both[1].revents & POLLIN)
            heard += static_cast<int>(::read(own[0], &byte, 1));
        host.run_once(0ms);
    }
    for (const int end : own)
        ::close(end);
    CHECK(heard >= 1);
    CHECK(t.joined() == natively.joined());
    CHECK(t.joined() == "soon a b a b cancelled t0 t1 t2 t3 main");
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

namespace {

/// By how much `call()` took longer than `d`, at best: once in so many times a loaded machine is prompt, too.
template <class F>
duration least_excess(const guest& g, duration d, F call) {
    duration least = duration::max();
    for (int i = 0; i < 200; ++i) {
        const time_point before = g.get_loop().time();
        call();
        least = std::min(least, g.get_loop().time() - before - d);
    }
    return least;
}

}

TEST_CASE("EMB-21 run_for ends to the microsecond, not to poll's millisecond, whether the guest sleeps or is busy") {
    for (const bool is_busy : {false, true}) {
        guest g;
        poll_host host(g);
        bool is_over = false;
        g.start(
            [&]() -> task<> {
                while (is_busy && !is_over)
                    co_await yield();
                co_await sleep_for(1h);
            },
            [](outcome<void>) {});
        const duration excess = least_excess(g, 100us, [&] { CHECK_FALSE(host.run_for(100us)); });
        CHECK(excess >= 0us);
        CHECK(excess < 400us);
        is_over = true;
        g.request_stop();
        CHECK(host.run_for(1h));
    }
}

TEST_CASE("EMB-22 a poll_host on another thread than its guest's is refused before it does anything") {
    guest g;
    poll_host host(g);
    g.start([]() -> task<> { co_await yield(); }, [](outcome<void>) {});
    std::thread([&] {
        CHECK(usage_of([&] { host.run(); }) == errc::wrong_thread);
        CHECK(usage_of([&] { host.run_for(1h); }) == errc::wrong_thread);
        CHECK(usage_of([&] { poll_host second(g); }) == errc::wrong_thread);
    }).join();
    host.run();
    CHECK(g.is_finished());
}
