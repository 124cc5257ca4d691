// asio_host_test.cpp - an io_context as a host: without memory, gone first, and run by two threads.
#include <corun/asio_host.hpp>
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/os.hpp>

#include "asio_scenes.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

thread_local bool asio_has_memory = true;

/// While it lives, Asio's own memory for handlers can't be had on this thread.
struct no_memory_for_asio {
    no_memory_for_asio() { asio_has_memory = false; }
    no_memory_for_asio(const no_memory_for_asio&) = delete;
    ~no_memory_for_asio() { asio_has_memory = true; }
};

}

/// In the place of the C library's: Asio has its memory from here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    void* made = nullptr;
    return asio_has_memory && ::posix_memalign(&made, alignment, size) == 0 ? made : nullptr;
}

TEST_CASE("RES-04 a wake-up of a guest in an io_context needs no memory, and a host without memory for its waits goes on") {
    hosted h;
    std::size_t refused = 0;
    const auto end = h.run([&]() -> task<> {
        event go_on;
        const loop_ref ref = loop::current().ref();
        asio::steady_timer timer(h.context, 1ms);
        timer.async_wait([&](std::error_code) {   // the guest is asleep
            std::thread other([&] {
                const no_memory_for_asio none;
                try {
                    asio::post(h.context, [] {});
                } catch (const std::bad_alloc&) {
                    ++refused;
                }
                ref.post([&go_on] { go_on.set(); });
            });
            other.join();
        });
        co_await go_on.wait();

        const no_memory_for_asio none;   // nor for the host, when this task sleeps
        for (int i = 0; i < 3; ++i)
            co_await sleep_for(1ms);
    });
    CHECK(end.has_value());
    CHECK(refused == 1);
}

TEST_CASE("GST-30 an io_context that goes before its host and its guest: the guest is drained") {
    std::optional<asio::io_context> context(std::in_place, 1);
    guest g;
    std::optional<outcome<void>> end;
    asio_host host(*context, g);
    bool sleeps = false;
    g.start(
        [&]() -> task<> {
            sleeps = true;
            co_await sleep_for(1h);
        },
        [&](outcome<void> o) { end.emplace(std::move(o)); });
    while (!sleeps)
        context->run_one();
    context.reset();
    g.request_stop();
    CHECK(g.drain(time_point::max()));
    REQUIRE(end);
    CHECK(end->is_cancelled());
}

TEST_CASE("EMB-24 an io_context that a second thread runs can't host a guest: the first turn there ends the program with a text") {
    const auto child = os::run_in_child([] {
        asio::io_context context;
        guest g;
        asio_host host(context, g);
        g.start([]() -> task<> { co_await yield(); }, [](outcome<void>) {});
        std::thread([&] { context.run(); }).join();
        return 0;
    });
    CHECK_FALSE(child.code.has_value());
    CHECK(child.output.find("no io_context or strand that several threads run") != std::string::npos);
}
