// shutdown_misuse_test.cpp - destructors and exceptions in shut down, runs outside main(), hooks that throw anything.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/usage.hpp>

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// Does not end when it is asked to, once.
template <class Local>
task<> deaf(Local local) {
    const auto end = co_await settled(sleep_for(1h));
    co_await sleep_for(1h);
    (void)local;
}

}

TEST_CASE("SHD-09 a destructor that spawns while frames are destroyed at the end is told that the loop has closed") {
    struct spawns {
        explicit spawns(std::optional<errc>& r, bool& b) : refused(&r), began(&b) {}
        spawns(spawns&& other) noexcept : refused(std::exchange(other.refused, nullptr)), began(other.began) {}
        ~spawns() {
            if (!refused)
                return;
            const auto child = [b = began]() -> task<> {
                *b = true;
                co_return;
            };
            *refused = usage_of([&] { spawn(child); });
        }
        std::optional<errc>* refused;
        bool* began;
    };
    std::optional<errc> refused;
    bool began = false;
    hook_log log;
    run(run_options().on_exception(log.hook()).shutdown_grace(10ms), [&]() -> task<> {
        spawn(&deaf<spawns>, spawns(refused, began));
        co_await yield();
    });
    CHECK(log.size() == 1);
    CHECK(refused == errc::closed_loop);
    CHECK_FALSE(began);
}

TEST_CASE("SHD-09 what a destructor posts while frames are destroyed at the end is destroyed with the loop") {
    struct posts {
        explicit posts(lifetimes& l) : of_capture(&l) {}
        posts(posts&& other) noexcept : of_capture(std::exchange(other.of_capture, nullptr)) {}
        ~posts() {
            if (of_capture)
                loop::current().post([captured = counted(*of_capture)] {});
        }
        lifetimes* of_capture;
    };
    lifetimes of_capture;
    hook_log log;
    run(run_options().on_exception(log.hook()).shutdown_grace(10ms), [&]() -> task<> {
        spawn(&deaf<posts>, posts(of_capture));
        co_await yield();
    });
    CHECK(log.size() == 1);
    CHECK(of_capture.made > 0);
    CHECK(of_capture.alive() == 0);
}

TEST_CASE("SHD-10 a leftover that throws while it is cancelled keeps no other from its clean-up") {
    hook_log log;
    lifetimes of_locals;
    int cleaned_up = 0;
    const int value = run(run_options().on_exception(log.hook()), [&]() -> task<int> {
        const auto leftover = [&](int number) -> task<> {
            const counted local(of_locals);
            const auto end = co_await settled(sleep_for(1h));
            if (number == 1)
                throw std::runtime_error("E");
            if (number == 2)
                throw 2;
            co_await sleep_for(1ms);
            ++cleaned_up;
        };
        for (int i = 0; i < 4; ++i)
            spawn(leftover, i);
        co_await yield();
        co_return 7;
    });
    CHECK(value == 7);
    CHECK(cleaned_up == 2);
    CHECK(log.joined() == "E, unknown");
    CHECK(of_locals.made == 4);
    CHECK(of_locals.alive() == 0);
}

namespace {

task<int> gives_seven() {
    co_await yield();
    co_await sleep_for(1ms);
    co_return 7;
}

struct runs_at_both_ends {
    runs_at_both_ends() : value(run(&gives_seven)) {}
    ~runs_at_both_ends() {
        if (reports)
            os::say("destructor " + std::to_string(run(&gives_seven)) + " ");
    }
    int value;
    bool reports = false;
};

runs_at_both_ends before_main;

}

TEST_CASE("SHD-12 run works in the constructor of a static object, before main() begins") { CHECK(before_main.value == 7); }

TEST_CASE("SHD-12 run works in the destructor of a static object, after main() has ended") {
    const auto child = os::run_in_child([]() -> int {
        before_main.reports = true;
        std::exit(5);
    });
    INFO(child.output);
    CHECK(child.code == 5);
    CHECK(child.output.find("destructor 7 ") != std::string::npos);
}

TEST_CASE("ERR-10 a hook that throws what is no std::exception: the default one prints both, and the loop goes on") {
    const auto child = os::run_in_child([] {
        run(run_options().on_exception([](const exception_report&) { throw 5; }), []() -> task<> {
            loop::current().call_soon([] { throw std::runtime_error("from the callback"); });
            loop::current().call_soon([] { os::say("next callback "); });
            co_await yield();
            co_await yield();
            os::say("main went on");
        });
        return 0;
    });
    INFO(child.output);
    CHECK(child.code == 0);
    CHECK(child.output.find("from the callback") != std::string::npos);
    CHECK(child.output.find("the exception hook threw") != std::string::npos);
    CHECK(child.output.find("next callback main went on") != std::string::npos);
}

TEST_CASE("ERR-12 spawn keeps its arguments by value: a temporary is alive in the task, also by reference") {
    const std::string text(100, 'x');
    lifetimes of_argument;
    std::string by_value;
    std::string by_reference;
    int alive = 0;
    run([&]() -> task<> {
        const auto takes_value = [&](std::string s) -> task<> {
            co_await yield();
            by_value = s;
        };
        const auto takes_reference = [&](const std::string& s, const counted&) -> task<> {
            co_await yield();
            by_reference = s;
            alive = of_argument.alive();
        };
        auto first = spawn(takes_value, std::string(text));
        auto second = spawn(takes_reference, std::string(text), counted(of_argument));
        co_await first;
        co_await second;
    });
    CHECK(by_value == text);
    CHECK(by_reference == text);
    CHECK(alive == 1);
    CHECK(of_argument.alive() == 0);
    CHECK(of_argument.copied == 0);
}

TEST_CASE("SHD-22 a runner that is closed by a task or callback that it runs says that it can't, and the run goes on") {
    runner r;
    std::string said;
    bool in_callback = false;
    const int value = r.run([&]() -> task<int> {
        try {
            r.close();
        } catch (const usage_error& e) {
            CHECK(e.code() == errc::nested_run);
            said = e.what();
        }
        loop::current().call_soon([&] { in_callback = usage_of([&] { r.close(); }) == errc::nested_run; });
        co_await sleep_for(1ms);
        co_return 7;
    });
    CHECK(value == 7);
    CHECK(in_callback);
    CHECK(said.find("let run() return first") != std::string::npos);
    r.close();
    r.close();
    CHECK(r.current_loop() == nullptr);
}
