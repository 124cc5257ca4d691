// debug_test.cpp - what debug mode finds, and that it costs nothing to be without it.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

template <class F>
void run_in_debug_mode(hook_log& log, F main) {
    run(run_options().debug(true).on_exception(log.hook()), std::move(main));
}

task<> nothing() { co_return; }

/// What `f()` throws as a usage_error, called on another thread.
errc misuse_elsewhere(const std::function<void()>& f) {
    errc code{};
    std::thread([&] {
        try {
            f();
        } catch (const usage_error& e) {
            code = e.code();
        }
    }).join();
    return code;
}

}

TEST_CASE("TSK-03 in debug mode a task that is never awaited is reported, with where it was made") {
    hook_log log;
    run_in_debug_mode(log, []() -> task<> {
        {
            const task<> dropped = nothing();
        }
        co_return;
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a task was never awaited");
    CHECK(log.joined().find("nothing") != std::string::npos);
    CHECK(log.joined().find("debug_test.cpp:") != std::string::npos);
}

TEST_CASE("TSK-03 without debug mode a task that is never awaited is dropped in silence") {
    hook_log log;
    run(run_options().debug(false).on_exception(log.hook()), []() -> task<> {
        {
            const task<> dropped = nothing();
        }
        co_return;
    });
    CHECK(log.empty());
}

TEST_CASE("the environment's CORUN_DEBUG=1 turns debug mode on, and the option overrules it") {
    const auto reports = [](run_options&& options) {
        hook_log log;
        run(std::move(options).on_exception(log.hook()), []() -> task<> {
            {
                const task<> dropped = nothing();
            }
            co_return;
        });
        return log.size();
    };
    const os::environment_variable debug("CORUN_DEBUG", "1");
    CHECK(reports(run_options()) == 1);
    CHECK(reports(run_options().debug(false)) == 0);
    const os::environment_variable not_debug("CORUN_DEBUG", "0");
    CHECK(reports(run_options()) == 0);
}

TEST_CASE("in debug mode a step of more than 100 ms is reported with the task's chain of awaits [rt]") {
    hook_log log;
    run_in_debug_mode(log, []() -> task<> {
        co_await [](int) -> task<> {
            // What is looked at is time that passes.
            const auto begin = std::chrono::steady_clock::now();
            while (std::chrono::steady_clock::now() - begin < 110ms) {
            }
            co_await yield();
        }(1);
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a step was slow");
    CHECK(log.joined().find("a step took 1") == 0);
    CHECK(log.joined().find("debug_test.cpp:") != std::string::npos);
}

TEST_CASE("in debug mode a step is slow from run_options::slow_step on [rt]") {
    const auto reports = [](run_options&& options) {
        hook_log log;
        run(std::move(options).debug(true).on_exception(log.hook()), []() -> task<> {
            const auto begin = std::chrono::steady_clock::now();
            while (std::chrono::steady_clock::now() - begin < 2ms) {
            }
            co_return;
        });
        return log.size();
    };
    CHECK(reports(run_options().slow_step(1ms)) == 1);
    CHECK(reports(run_options().slow_step(1h)) == 0);
}

TEST_CASE("in debug mode a request that a task swallows is reported; one that it takes back is not") {
    hook_log log;
    run_in_debug_mode(log, []() -> task<> {
        auto swallows = spawn([]() -> task<> { (void)co_await settled(sleep_for(1h)); });
        auto takes_back = spawn([]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            this_task::handle().uncancel();
        });
        auto passes_on = spawn([]() -> task<> { co_await sleep_for(1h); });
        co_await yield();
        swallows.cancel();
        takes_back.cancel();
        passes_on.cancel();
        co_await swallows;
        co_await takes_back;
        (void)co_await settled(passes_on);
        const auto out_of_time = co_await settled(timeout(0s, sleep_for(1h)));
        CHECK(out_of_time.is_error());
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a request to end was swallowed");
    CHECK(log.joined().find("asked to end 1 time") != std::string::npos);
}

TEST_CASE("SYN-02 in debug mode a lock that another task gives up is reported") {
    hook_log log;
    run_in_debug_mode(log, []() -> task<> {
        mutex m;
        co_await spawn([&m]() -> task<> {
            CHECK(m.try_lock());
            co_return;
        });
        m.unlock();
        {
            const auto own = co_await m.lock();
        }
        co_return;
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a mutex was unlocked by another task than the one that locked it");
}

TEST_CASE("THR-10 in debug mode the use of a loop or of its tasks on another thread is refused, and nothing happens") {
    hook_log log;
    // Threads of a busy machine are slow to begin.
    run(run_options().debug(true).slow_step(1h).real_threads(true).on_exception(log.hook()), []() -> task<> {
        loop& l = loop::current();
        auto t = spawn([]() -> task<int> {
            co_await sleep_for(0s);
            co_return 7;
        });
        CHECK(misuse_elsewhere([&] { l.call_soon([] {}); }) == errc::wrong_thread);
        CHECK(misuse_elsewhere([&] { l.call_after(1h, [] {}); }) == errc::wrong_thread);
        CHECK(misuse_elsewhere([&] { t.cancel(); }) == errc::wrong_thread);
        const int value = co_await t;
        CHECK(value == 7);
    });
    CHECK(log.reports().empty());
}
