// borrowed_libuv_test.cpp - corun on a uv_loop_t of the program's own, whose handles keep working.
#include <corun/corun.hpp>
#include <corun/libuv.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include <uv.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A loop that is closed without a handle left.
struct own_loop {
    own_loop() { REQUIRE(uv_loop_init(&loop) == 0); }
    ~own_loop() {
        uv_run(&loop, UV_RUN_NOWAIT);   // the last of corun's handles end
        CHECK(uv_loop_close(&loop) == 0);
    }
    uv_loop_t loop;
};

/// From its first loop on libuv keeps a pipe for signals: it is no leak of a case's.
[[maybe_unused]] const bool is_prepared = [] {
    uv_loop_t loop;
    return uv_loop_init(&loop) == 0 && uv_loop_close(&loop) == 0;
}();

template <class F>
void run_on(uv_loop_t& loop, F main) {
    run(run_options().handle_interrupts(false).with(make_libuv(loop)), std::move(main));
}

void close_now(uv_timer_t& t) { uv_close(reinterpret_cast<uv_handle_t*>(&t), nullptr); }

}

TEST_CASE("EMB-03 handles of the program's own and corun's tasks share a uv_loop_t, and neither starves") {
    own_loop own;
    struct counter {
        uv_timer_t timer;
        int fired = 0;
    } counts;
    uv_timer_init(&own.loop, &counts.timer);
    counts.timer.data = &counts;
    uv_timer_start(&counts.timer, [](uv_timer_t* t) { ++static_cast<counter*>(t->data)->fired; }, 1, 1);
    int rounds = 0;
    run_on(own.loop, [&]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        // A task that is always ready, one that does I/O, and a timer of libuv's.
        auto busy = spawn([]() -> task<> {
            for (;;)
                co_await yield();
        });
        while (counts.fired < 5) {
            co_await pair.ours.write(byte);
            co_await pair.theirs.read(byte);
            ++rounds;
        }
        busy.cancel();
        (void)co_await settled(busy);
        co_await sleep_for(1ms);
    });
    CHECK(counts.fired >= 5);
    CHECK(rounds >= 5);
    close_now(counts.timer);
}

TEST_CASE("a callback of libuv's may wake tasks, and close a stream that has news in the same turn") {
    own_loop own;
    struct shared {
        uv_timer_t timer;
        event fired;
        std::optional<stream_pair> pair;
    } s;
    uv_timer_init(&own.loop, &s.timer);
    s.timer.data = &s;
    run_on(own.loop, [&]() -> task<> {
        auto made = co_await connected_pair();
        s.pair.emplace(std::move(made));
        auto reads = spawn([&]() -> task<> {
            std::array<std::byte, 1> byte{};
            co_await s.pair->ours.read(byte);
        });
        co_await yield();
        uv_timer_start(
            &s.timer,
            [](uv_timer_t* t) {
                auto& all = *static_cast<shared*>(t->data);
                all.pair->ours.close();
                all.fired.set();
            },
            0, 0);
        std::array<std::byte, 1> byte{};
        co_await s.pair->theirs.write(byte);
        co_await s.fired.wait();
        const auto left = co_await settled(reads);
        // Whichever the turn saw first: the byte, or the close.
        CHECK((left.has_value() || left.threw<std::system_error>()));
        s.pair.reset();
    });
    close_now(s.timer);
}

TEST_CASE("several runs, one after another, on the same uv_loop_t") {
    own_loop own;
    for (int i = 0; i < 3; ++i)
        run_on(own.loop, []() -> task<> { co_await sleep_for(1ms); });
}
