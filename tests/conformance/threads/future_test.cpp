// future_test.cpp - futures of others for tasks to wait for, and the one of a submitted task on the wrong thread.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/usage.hpp>

#include <future>
#include <optional>
#include <stdexcept>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE(
    "FUT-01 waiting for a submitted task on the loop's own thread is refused, as it would never end; a value that is there is given") {
    run([]() -> task<> {
        auto f = submit(loop::current().ref(), []() -> task<int> {
            co_await yield();
            co_return 7;
        });
        CHECK(usage_of([&] { f.get(); }) == errc::wrong_thread);
        CHECK(usage_of([&] { f.wait(); }) == errc::wrong_thread);
        while (f.wait_for(0s) != std::future_status::ready)
            co_await yield();
        f.wait();
        CHECK(f.get() == 7);
    });
}

TEST_CASE("FUT-02 in_thread gives a std::future's value, or its exception") {
    run([]() -> task<> {
        std::promise<int> value;
        value.set_value(7);
        const int got = co_await in_thread(value.get_future());
        CHECK(got == 7);
        std::promise<void> error;
        error.set_exception(std::make_exception_ptr(std::runtime_error("E")));
        const auto left = co_await settled(in_thread(error.get_future()));
        CHECK(text_of(left.error()) == "E");
    });
}

TEST_CASE("FUT-03 the loop turns while a future is waited for, and another thread answers it [rt]") {
    run(run_options().real_threads(true), []() -> task<> {
        std::promise<int> later;
        auto waits = spawn(in_thread(later.get_future()));
        co_await sleep_for(1ms);
        CHECK_FALSE(waits.is_done());
        later.set_value(7);
        const int got = co_await waits;
        CHECK(got == 7);
    });
}

namespace {

task<> never_stops() {
    for (;;)
        (void)co_await settled(sleep_for(1h));
}

}

TEST_CASE("FUT-04 a submitted task that is destroyed by force ends its future with an error") {
    hook_log log;
    std::optional<submission<int>> stuck;
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), [&]() -> task<> {
        stuck = submit(loop::current().ref(), []() -> task<int> {
            co_await never_stops();
            co_return 0;
        });
        co_await yield();
        co_await yield();
    });
    CHECK(usage_of([&] { stuck->get(); }) == errc::closed_loop);
    CHECK_FALSE(stuck->cancel());
}
