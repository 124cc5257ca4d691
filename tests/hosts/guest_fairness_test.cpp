// guest_fairness_test.cpp - host and guest share a thread: neither keeps the other from running.
#include <hosts/hosted_guest.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A timer of the host's that starts itself anew.
class host_beat {
public:
    host_beat(test_host& h, duration period) : host_(h), period_(period) { go_on(); }
    int count() const noexcept { return count_; }
    void stop() noexcept { stopped_ = true; }

private:
    void go_on() {
        host_.call_after(period_, [this] {
            ++count_;
            if (!stopped_)
                go_on();
        });
    }

    test_host& host_;
    duration period_;
    int count_ = 0;
    bool stopped_ = false;
};

}

TEST_CASE("GST-08 with a budget of one, the host's own sources run between a thousand ready tasks") {
    hosted_guest h({}, dispatch_budget{.resumes = 1});
    int ran = 0;
    int at_host = -1;
    (void)h.run([&]() -> task<> {
        for (int i = 0; i < 1000; ++i)
            spawn([&]() -> task<> {
                ++ran;
                co_return;
            });
        h.host->call_after(0ms, [&] { at_host = ran; });
        while (ran < 1000 || at_host < 0)
            co_await yield();
    });
    CHECK(at_host >= 0);
    CHECK(at_host < 1000);
}

TEST_CASE("GST-09 a guest that is always busy lets the host's timer beat") {
    hosted_guest h;
    host_beat beat(*h.host, 1ms);
    (void)h.run([&]() -> task<> {
        while (beat.count() < 20)
            co_await yield();
        beat.stop();
        const int last = beat.count();
        while (beat.count() == last)
            co_await yield();
    });
    CHECK(beat.count() >= 21);
}

TEST_CASE("GST-09 a host that is always busy lets the guest's timer beat") {
    // Before the host: what it still holds is called as it goes.
    bool over = false;
    std::function<void()> again;
    hosted_guest h;
    again = [&] {
        if (!over)
            h.host->call_after(0ms, again);
    };
    h.host->call_after(0ms, again);
    int beats = 0;
    (void)h.run([&]() -> task<> {
        for (; beats < 20; ++beats)
            co_await sleep_for(1ms);
        over = true;
    });
    CHECK(beats == 20);
}

TEST_CASE("GST-10 a host's loop that runs inside a task resumes nobody, does not spin, and the work goes on after it") {
    hosted_guest h;
    int host_calls = 0;
    int asked = 0;
    (void)h.run([&]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        bool resumed = false;
        auto other = spawn([&]() -> task<> {
            co_await pair.theirs.read(byte);
            resumed = true;
        });
        co_await yield();
        co_await pair.ours.write(byte);   // from here on the handle has news
        bool is_over = false;
        h.host->call_after(20ms, [&] {
            ++host_calls;
            is_over = true;
        });
        h.host->run_until([&] {
            ++asked;
            return is_over;
        });
        CHECK_FALSE(resumed);
        co_await other;
        CHECK(resumed);
    });
    CHECK(host_calls == 1);
    CHECK(asked < 100);
}

TEST_CASE("EMB-03 the host's timers and the guest's I/O share a thread, and neither starves") {
    hosted_guest h;
    host_beat beat(*h.host, 1ms);
    int rounds = 0;
    (void)h.run([&]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        while (beat.count() < 10) {
            co_await pair.ours.write(byte);
            co_await pair.theirs.read(byte);
            ++rounds;
        }
        beat.stop();
        const int last = beat.count();
        while (beat.count() == last)
            co_await sleep_for(1ms);
    });
    CHECK(rounds >= 10);
}
