// borrowed_asio_test.cpp - corun on an io_context of the program's own, whose handlers keep working.
#include <corun/asio.hpp>
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

template <class F>
void run_on(asio::io_context& context, F main) {
    run(run_options().handle_interrupts(false).with(make_asio(context)), std::move(main));
}

}

TEST_CASE("EMB-03 handlers of the program's own and corun's tasks share an io_context, and neither starves") {
    asio::io_context context;
    asio::steady_timer timer(context);
    int fired = 0;
    std::function<void()> beat = [&] {
        timer.expires_after(1ms);
        timer.async_wait([&](std::error_code error) {
            if (error)
                return;
            ++fired;
            beat();
        });
    };
    beat();
    int rounds = 0;
    run_on(context, [&]() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        // A task that is always ready, one that does I/O, and a timer of Asio's.
        auto busy = spawn([]() -> task<> {
            for (;;)
                co_await yield();
        });
        while (fired < 5) {
            co_await pair.ours.write(byte);
            co_await pair.theirs.read(byte);
            ++rounds;
        }
        busy.cancel();
        (void)co_await settled(busy);
        co_await sleep_for(1ms);
    });
    CHECK(fired >= 5);
    CHECK(rounds >= 5);
    timer.cancel();
    context.poll();
}

TEST_CASE("a handler of Asio's may wake tasks, and close a stream that has news in the same turn") {
    asio::io_context context;
    event fired;
    std::optional<stream_pair> pair;
    run_on(context, [&]() -> task<> {
        auto made = co_await connected_pair();
        pair.emplace(std::move(made));
        auto reads = spawn([&]() -> task<> {
            std::array<std::byte, 1> byte{};
            co_await pair->ours.read(byte);
        });
        co_await yield();
        asio::post(context, [&] {
            pair->ours.close();
            fired.set();
        });
        std::array<std::byte, 1> byte{};
        co_await pair->theirs.write(byte);
        co_await fired.wait();
        const auto left = co_await settled(reads);
        // Whichever the turn saw first: the byte, or the close.
        CHECK((left.has_value() || left.threw<std::system_error>()));
        pair.reset();
    });
}

TEST_CASE("several runs, one after another, on the same io_context; one that was stopped works all the same") {
    asio::io_context context;
    for (int i = 0; i < 3; ++i) {
        context.stop();
        run_on(context, []() -> task<> { co_await sleep_for(1ms); });
    }
    context.poll();   // the last of corun's handlers
    context.restart();
    CHECK(context.poll() == 0);
}
