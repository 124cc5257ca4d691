// handles_test.cpp - what is copied, moved and assigned: names of callbacks and loops, and owners of one thing.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/usage.hpp>

#include <optional>
#include <string>
#include <system_error>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("copies of a callback_handle name the same callback") {
    run([]() -> task<> {
        bool ran = false;
        const callback_handle one = loop::current().call_after(1h, [&ran] { ran = true; });
        callback_handle other = one;
        CHECK(other.is_pending());
        CHECK(other.cancel());
        CHECK_FALSE(one.is_pending());
        callback_handle none;
        const callback_handle copy = none;
        CHECK_FALSE(copy.is_pending());
        co_await yield();
        CHECK_FALSE(ran);
    });
}

TEST_CASE("a loop_ref that is assigned to names the other loop from then on") {
    std::optional<loop_ref> first;
    std::optional<loop_ref> name;
    run([&]() -> task<> {
        first.emplace(loop::current().ref());
        co_return;
    });
    CHECK_FALSE(first->post([] {}));
    bool ran = false;
    run([&]() -> task<> {
        const loop_ref second = loop::current().ref();
        *first = second;
        CHECK(first->post([&ran] { ran = true; }));
        co_await yield();
        co_await yield();
    });
    CHECK(ran);
}

TEST_CASE("a permit that is assigned to releases the one that it held") {
    run([]() -> task<> {
        semaphore s(2);
        auto held = co_await s.acquire();
        auto other = co_await s.acquire();
        const bool free = s.try_acquire();
        CHECK_FALSE(free);
        held = std::move(other);
        CHECK(held);
        CHECK_FALSE(other);
        const bool free_again = s.try_acquire();
        CHECK(free_again);
        s.release();
    });
}

TEST_CASE("a listener that is assigned to closes the one that it had") {
    run([]() -> task<> {
        auto listener = tcp_listener::bind(address::loopback(0));
        const address was = listener.local_address();
        auto other = tcp_listener::bind(address::loopback(0));
        const address is = other.local_address();
        listener = std::move(other);
        CHECK(listener.local_address() == is);
        CHECK_FALSE(other.is_open());
        const auto refused = co_await as_result(connect(was));
        CHECK(refused.error() == std::errc::connection_refused);
        std::string text;
        try {
            (void)other.local_address();
        } catch (const std::system_error& e) {
            text = e.what();
        }
        CHECK(text.find("moved from") != std::string::npos);
    });
}

TEST_CASE("a started that is assigned to stands for the other start") {
    run([]() -> task<> {
        bool goes_on = false;
        co_await with_task_group([&goes_on](task_group& g) -> task<> {
            co_await g.start([&goes_on](started<> is_ready) -> task<> {
                started<> kept = std::move(is_ready);
                started<> last = std::move(kept);
                kept = std::move(last);
                kept();
                co_await yield();
                co_await yield();
                goes_on = true;
            });
            CHECK_FALSE(goes_on);   // it is ready, and has not ended
        });
        CHECK(goes_on);
    });
}

TEST_CASE("a result without a value is an error that is thrown, or none") {
    const result<void> well;
    CHECK(well);
    well.value();
    const result<void> wrong = std::errc::timed_out;
    CHECK_FALSE(wrong);
    CHECK(wrong.error() == std::errc::timed_out);
    CHECK_THROWS_AS(wrong.value(), std::system_error);
}

TEST_CASE("an end of a channel that was closed says so") {
    run([]() -> task<> {
        auto ends = make_channel<int>(1);
        ends.first.close();
        CHECK(usage_of([&] { (void)ends.first.try_send(1); }) == errc::empty_handle);
        auto moved = std::move(ends.second);
        const auto left = co_await settled(ends.second.receive());
        CHECK(usage_of(left) == errc::empty_handle);
        CHECK_FALSE(moved.try_receive());
    });
}

TEST_CASE("a barrier, an interval and a condition tell what they were made with") {
    barrier three(3);
    CHECK(three.parties() == 3);
    const interval beat = every(5ms);
    CHECK(beat.period() == 5ms);
    mutex m;
    const condition changed(m);
    CHECK(&changed.lock() == &m);
}
