// error_test.cpp - misuse that a compare or the compiler can tell.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/usage.hpp>

#include <coroutine>
#include <csignal>
#include <exception>
#include <optional>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A coroutine of somebody else's: runs at once, knows nothing of loops.
struct foreign {
    struct promise_type {
        foreign get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

template <class Make>
foreign awaits(Make make, std::optional<errc>& refused) {
    try {
        (void)co_await make();
    } catch (const usage_error& e) {
        refused = e.code();
    }
}

/// Which misuse the await is refused for; the coroutine has ended by then.
template <class Make>
std::optional<errc> refusal(Make make) {
    std::optional<errc> refused;
    awaits(make, refused);
    return refused;
}

}

TEST_CASE("ERR-01 a coroutine that no loop runs is told at the await") {
    event e;
    mutex m;
    const auto sleeps = [] { return sleep_for(1ms); };
    const auto yields = [] { return yield(); };
    const auto waits = [&e] { return e.wait(); };
    const auto locks = [&m] { return m.lock(); };
    const auto calls = [] { return to_thread([] {}); };

    CHECK(refusal(sleeps) == errc::not_started);
    CHECK(refusal(yields) == errc::not_started);
    CHECK(refusal(waits) == errc::not_started);
    CHECK(refusal(locks) == errc::not_started);
    CHECK(refusal(calls) == errc::not_started);
    CHECK_FALSE(m.is_locked());

    // In a running loop as well: no task of the loop's stands behind such a coroutine.
    run([&]() -> task<> {
        CHECK(refusal(sleeps) == errc::not_started);
        CHECK(refusal(yields) == errc::not_started);
        CHECK(refusal(waits) == errc::not_started);
        CHECK(refusal(calls) == errc::not_started);
        co_await yield();
        CHECK(loop::current().counters().armed_timers == 0);
    });
}

namespace {

template <class A>
concept awaitable_as_lvalue = requires(A& a) { a.operator co_await(); };
template <class A>
concept awaitable_as_rvalue = requires(A&& a) { std::move(a).operator co_await(); };

template <class A>
constexpr bool is_single_shot = awaitable_as_rvalue<A> && !awaitable_as_lvalue<A> && !std::is_copy_constructible_v<A>;

}

TEST_CASE("ERR-02 what is awaited once is awaited as an rvalue only: a second await doesn't compile") {
    STATIC_REQUIRE(is_single_shot<task<>>);
    STATIC_REQUIRE(is_single_shot<task<int>>);
    STATIC_REQUIRE(awaitable_as_rvalue<decltype(settled(std::declval<task<>>()))>);
    STATIC_REQUIRE_FALSE(awaitable_as_lvalue<decltype(settled(std::declval<task<>>()))>);
    STATIC_REQUIRE_FALSE(awaitable_as_lvalue<decltype(timeout(1s, std::declval<task<>>()))>);
    STATIC_REQUIRE_FALSE(awaitable_as_lvalue<decltype(to_thread([] {}))>);
    STATIC_REQUIRE(awaitable_as_lvalue<const task_handle<int>>);
}

TEST_CASE("ERR-02 a task that was awaited, spawned or moved from is refused") {
    run([]() -> task<> {
        int calls = 0;
        const auto counts = [&calls]() -> task<> {
            ++calls;
            co_return;
        };
        task<> awaited = counts();
        co_await std::move(awaited);
        std::optional<errc> refused;
        try {
            co_await std::move(awaited);
        } catch (const usage_error& e) {
            refused = e.code();
        }
        CHECK(refused == errc::not_started);

        task<> spawned = counts();
        auto h = spawn(std::move(spawned));
        CHECK(usage_of([&] { spawn(std::move(spawned)); }) == errc::not_started);
        co_await h;

        task<> from = counts();
        task<> to = std::move(from);
        CHECK(usage_of([&] { spawn(std::move(from)); }) == errc::not_started);
        co_await std::move(to);
        CHECK(calls == 3);
    });
    task<> empty = []() -> task<> { co_return; }();
    run(std::move(empty));
    CHECK(usage_of([&] { run(std::move(empty)); }) == errc::not_started);
}

namespace {

/// Gives a coroutine its own handle, without suspending it.
struct own_handle {
    explicit own_handle(std::coroutine_handle<>& p) noexcept : place(p) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) const noexcept {
        place = h;
        return false;
    }
    void await_resume() const noexcept {}

    std::coroutine_handle<>& place;
};

}

TEST_CASE("ERR-04 destroying the frame of an active group ends the process with a message that names the group") {
    const auto child = os::run_in_child([] {
        run([]() -> task<> {
            std::coroutine_handle<> frame;
            const auto owner = [&frame]() -> task<> {
                co_await own_handle(frame);
                const auto body = [](task_group& g) -> task<> {
                    g.spawn([]() -> task<> { co_await sleep_for(1h); });
                    co_return;
                };
                co_await with_task_group(body);
            };
            auto h = spawn(owner);
            h.set_name("owner-of-group");
            co_await yield();
            co_await yield();
            os::say("destroying ");
            frame.destroy();
            os::say("survived");
        });
        return 0;
    });
    INFO(child.output);
    CHECK(child.signal == SIGABRT);
    CHECK(child.output.find("destroying ") == 0);
    CHECK(child.output.find("task group") != std::string::npos);
    CHECK(child.output.find("owner-of-group") != std::string::npos);
    CHECK(child.output.find("survived") == std::string::npos);
}
