// asio_async_run_test.cpp - corun's tasks as Asio's operations.
#include <corun/async_run.hpp>
#include <corun/corun.hpp>
#include <corun/use_task.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include "asio_scenes.hpp"

#include <exception>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("ASIO-07 async_run in an asio::awaitable gives the task's value and throws its exception, on the context's thread") {
    hosted h;
    trace t;
    asio::co_spawn(
        h.context,
        [&]() -> asio::awaitable<void> {
            const int got = co_await async_run(
                h.g.get_loop(),
                []() -> task<int> {
                    co_await sleep_for(1ms);
                    co_return 7;
                },
                asio::use_awaitable);
            t.note(std::to_string(got));
            CHECK(loop::try_current() == nullptr);
            try {
                co_await async_run(
                    h.g.get_loop(),
                    []() -> task<> {
                        co_await yield();
                        throw std::runtime_error("E");
                    },
                    asio::use_awaitable);
            } catch (const std::runtime_error& e) {
                t.note(e.what());
            }
            h.g.request_stop();
        },
        asio::detached);
    const auto end = h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(end.is_cancelled());
    CHECK(t.joined() == "7 E");
}

TEST_CASE("ASIO-08 cancellation of the handler's slot cancels the task, and its end is operation_aborted") {
    hosted h;
    asio::cancellation_signal signal;
    std::exception_ptr left;
    bool cleaned = false;
    async_run(
        h.g.get_loop(),
        [&]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            cleaned = end.is_cancelled();
            end.rethrow();
        },
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
            left = e;
            h.g.request_stop();
        }));
    asio::steady_timer timer(h.context, 5ms);
    timer.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
    (void)h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(cleaned);
    try {
        REQUIRE(left);
        std::rethrow_exception(left);
    } catch (const std::system_error& e) {
        CHECK(e.code() == asio::error::operation_aborted);
    }
}

TEST_CASE("ASIO-09 async_run from another thread, with a future; a loop that has closed answers so") {
    std::optional<loop_ref> ref;
    run([&]() -> task<> {
        ref.emplace(loop::current().ref());
        event done;
        std::thread other([&] {
            auto f = async_run(
                *ref,
                []() -> task<int> {
                    co_await yield();
                    co_return 7;
                },
                asio::use_future);
            CHECK(f.get() == 7);
            ref->post([&] { done.set(); });
        });
        co_await done.wait();
        other.join();
    });
    auto late = async_run(*ref, []() -> task<int> { co_return 7; }, asio::use_future);
    CHECK(usage_of([&] { late.get(); }) == errc::closed_loop);
}

TEST_CASE("ASIO-10 Asio's operation in a corun task in an asio::awaitable") {
    hosted h;
    int got = 0;
    asio::co_spawn(
        h.context,
        [&]() -> asio::awaitable<void> {
            got = co_await async_run(
                h.g.get_loop(),
                [&]() -> task<int> {
                    asio::steady_timer timer(h.context, 1ms);
                    co_await timer.async_wait(use_task);
                    co_return 7;
                },
                asio::use_awaitable);
            h.g.request_stop();
        },
        asio::detached);
    (void)h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(got == 7);
}

TEST_CASE("ASIO-15 async_run takes a task that has been made already; a loop that closes with it unended answers so") {
    run([]() -> task<> {
        const auto give = [](int n) -> task<int> { co_return n; };
        auto f = async_run(loop::current(), give(7), asio::use_future);
        while (f.wait_for(0s) != std::future_status::ready)
            co_await yield();
        CHECK(f.get() == 7);
    });

    hook_log log;
    std::future<void> stuck;
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), [&]() -> task<> {
        stuck = async_run(
            loop::current(),
            []() -> task<> {
                for (;;)
                    (void)co_await settled(sleep_for(1h));
            },
            asio::use_future);
        co_await yield();
        co_await yield();
    });
    CHECK(usage_of([&] { stuck.get(); }) == errc::closed_loop);
}
