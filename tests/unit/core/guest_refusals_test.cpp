// guest_refusals_test.cpp - a guest on backends that tell their host little: no handle to watch, or news without an end.
#include <corun/corun.hpp>
#include <corun/guest.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/wrapped_backend.hpp>

#include <chrono>
#include <memory>
#include <optional>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

class without_handle : public wrapped_backend {
public:
    native_handle wait_handle() noexcept override { return no_native_handle; }
};

/// Has something to ask of the system after each wait.
class never_settled : public wrapped_backend {
public:
    explicit never_settled(int& waits) : waits_(waits) {}
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        ++waits_;
        (void)wrapped_backend::wait(deadline, finished);
        return waited::news;
    }

private:
    int& waits_;
};

}

TEST_CASE("A guest without a handle to be watched refuses a host without a hook, and takes one that has it") {
    guest g(run_options().with(std::make_unique<without_handle>()));
    REQUIRE(g.news() == guest_news::helper_thread);
    std::optional<errc> refused;
    try {
        g.attach({});
    } catch (const usage_error& e) {
        refused = e.code();
    }
    CHECK(refused == errc::invalid_argument);
    g.attach({[](void*) noexcept {}, nullptr});
    g.detach();
}

TEST_CASE("A backend that always has news does not hold the host up: prepare() comes back, and asks for dispatch()") {
    int waits = 0;
    guest g(run_options().with(std::make_unique<never_settled>(waits)));
    g.attach({[](void*) noexcept {}, nullptr});
    g.start([]() -> task<> { (void)co_await settled(sleep_for(1h)); }, [](outcome<void>) {});
    for (int i = 0; i < 5; ++i)
        g.dispatch();
    waits = 0;
    CHECK(g.prepare());
    CHECK(waits > 0);
    CHECK(waits <= 1000);
    g.request_stop();
    while (!g.is_finished())
        g.dispatch();
    g.detach();
}

TEST_CASE("drain() ends a turn that a small budget had cut in two, then goes on to the end") {
    guest g;
    g.attach({[](void*) noexcept {}, nullptr});
    int ran = 0;
    int ended = 0;
    for (int i = 0; i < 10; ++i) {
        g.spawn([&ran, &ended]() -> task<> {
            ++ran;
            co_await yield();   // behind the end of the turn
            ++ended;
        });
    }
    g.start(
        []() -> task<> {
            co_await yield();
            co_await yield();
        },
        [](outcome<void>) {});
    CHECK(g.dispatch({.resumes = 3, .time = 1h, .polls = 1}).more);
    CHECK(ran == 3);
    CHECK(g.drain(1h));
    CHECK(ran == 10);
    CHECK(ended == 10);
    g.detach();
}

TEST_CASE(
    "A guest that is asked to stop without any grace, and whose main ends in that turn, has ended by itself: in however small steps") {
    for (unsigned resumes = 1; resumes <= 4; ++resumes) {
        hook_log log;
        std::optional<bool> has_value;
        guest g(run_options().shutdown_grace(0s).on_exception(log.hook()));
        g.attach({[](void*) noexcept {}, nullptr});
        g.start([]() -> task<> { (void)co_await settled(sleep_for(1h)); }, [&has_value](outcome<void> o) { has_value = o.has_value(); });
        while (g.prepare())
            g.dispatch();
        g.request_stop();
        while (!g.is_finished())
            g.dispatch({.resumes = resumes, .time = 1h, .polls = 1});
        INFO("steps of " << resumes);
        CHECK(has_value == true);
        CHECK(log.size() == 0);
        g.detach();
    }
}
