// printed_reports_test.cpp - where exceptions that no caller will see are told: the hook, or standard error.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("Without a hook the report of a task that failed is a line with its number and its name") {
    const auto child = os::run_in_child([] {
        run([]() -> task<> {
            auto fails = spawn([]() -> task<> {
                co_await yield();
                throw std::runtime_error("E");
            });
            fails.set_name("worker");
            fails = {};
            co_await yield();
            co_await yield();
        });
        return 7;
    });
    CHECK(child.code == 7);
    CHECK(child.output == "corun: a task failed and nobody awaited it (task 2 \"worker\"): E\n");
}

TEST_CASE("A permit too many that is given back after its run says so on standard error") {
    const auto child = os::run_in_child([] {
        bounded_semaphore s(1);
        std::optional<semaphore::permit> kept;
        run([&]() -> task<> {
            kept.emplace(co_await s.acquire());
            s.release();
        });
        kept.reset();
        return 7;
    });
    CHECK(child.code == 7);
    CHECK(child.output.find("a corun::bounded_semaphore was released when every permit was free") != std::string::npos);
}

TEST_CASE("loop::report() tells the loop's hook") {
    hook_log log;
    run(run_options().on_exception(log.hook()), []() -> task<> {
        exception_report r;
        r.message = "a library's own";
        r.error = std::make_exception_ptr(std::runtime_error("E"));
        loop::current().report(r);
        co_return;
    });
    REQUIRE(log.size() == 1);
    CHECK(log.reports()[0].message == "a library's own");
    CHECK(log.reports()[0].what == "E");
}

TEST_CASE("What goes under its waiters while frames are destroyed by force is not told of: the grace's end has been") {
    hook_log log;
    mutex lock;
    condition* changed = nullptr;
    semaphore* permits = nullptr;
    const auto waits_for_change = [&]() -> task<> {
        co_await yield();   // its owner has made it
        const auto guard = co_await lock.lock();
        for (;;)
            (void)co_await settled(changed->wait());
    };
    const auto waits_for_permit = [&]() -> task<> {
        co_await yield();
        for (;;)
            (void)co_await settled(permits->acquire());
    };
    const auto owns = [&]() -> task<> {
        condition own(lock);
        semaphore none(0);
        changed = &own;
        permits = &none;
        for (;;)
            (void)co_await settled(sleep_for(1h));
    };
    run(run_options().shutdown_grace(0s).on_exception(log.hook()), [&]() -> task<> {
        spawn(waits_for_change);
        spawn(waits_for_permit);
        spawn(owns);   // the later one is destroyed first
        co_await yield();
        co_await yield();
        co_await yield();
    });
    CHECK(log.size() == 3);
    for (const auto& r : log.reports())
        CHECK(r.message == "a task did not stop within the shutdown grace");
}
