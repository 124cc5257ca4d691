// error_test.cpp - misuse that a compare or the compiler can tell.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/usage.hpp>

#include <coroutine>
#include <csignal>
#include <exception>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

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
        CHECK(refused == errc::already_awaited);

        task<> spawned = counts();
        auto h = spawn(std::move(spawned));
        CHECK(usage_of([&] { spawn(std::move(spawned)); }) == errc::already_awaited);
        co_await h;

        task<> from = counts();
        task<> to = std::move(from);
        CHECK(usage_of([&] { spawn(std::move(from)); }) == errc::already_awaited);
        co_await std::move(to);
        CHECK(calls == 3);
    });
    task<> empty = []() -> task<> { co_return; }();
    run(std::move(empty));
    CHECK(usage_of([&] { run(std::move(empty)); }) == errc::already_awaited);
}

TEST_CASE("ERR-54 a mistake is named by what happened: no loop, no task, a result that is not there yet, an end that is empty") {
    CHECK(usage_of([] { loop::current(); }) == errc::no_running_loop);
    run([]() -> task<> {
        const auto begun = spawn([]() -> task<int> {
            co_await yield();
            co_return 7;
        });
        CHECK(usage_of([&] { begun.get(); }) == errc::not_done);
        const int value = co_await begun;
        CHECK(value == begun.get());

        std::optional<errc> in_callback;
        loop::current().call_soon([&in_callback] { in_callback = usage_of([] { this_task::id(); }); });
        co_await yield();
        CHECK(in_callback == errc::no_running_task);

        auto [out, in] = make_channel<int>(1);
        const auto moved = std::move(out);
        in.close();
        CHECK(usage_of([&] { (void)out.try_send(1); }) == errc::empty_handle);
        const auto received = co_await settled(in.receive());
        CHECK(usage_of(received) == errc::empty_handle);
    });
}

TEST_CASE("ERR-54 the name of each misuse") {
    const auto named = [](std::initializer_list<errc> codes) {
        std::string names;
        for (const errc code : codes)
            names += std::string(to_string(code)) + " ";
        return names;
    };
    CHECK(named({errc::no_running_loop, errc::no_running_task, errc::already_awaited, errc::empty_handle}) ==
          "no_running_loop no_running_task already_awaited empty_handle ");
    CHECK(named({errc::not_done, errc::no_value, errc::invalid_argument, errc::no_default_backend}) ==
          "not_done no_value invalid_argument no_default_backend ");
}

namespace {

/// Gives a coroutine its own handle, without suspending it.
struct own_handle {
    explicit own_handle(std::coroutine_handle<>& p) noexcept : place(p) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h, std::source_location) const noexcept {
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
