// closed_descriptor_test.cpp - what close(deadline) returns after: the descriptor is no more.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <cstddef>

#include <fcntl.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

bool is_open(native_handle h) { return ::fcntl(static_cast<int>(h), F_GETFD) >= 0; }

}

TEST_CASE("TCP-50 when close(deadline) returns the descriptor is closed, also with operations that waited") {
    run([]() -> task<> {
        for (const bool waits : {false, true}) {
            auto pair = co_await connected_pair();
            auto listener = tcp_listener::bind(loopback());
            const native_handle stream = pair.ours.native_handle();
            const native_handle listening = listener.native_handle();
            REQUIRE((is_open(stream) && is_open(listening)));
            const auto reads = [&]() -> task<> {
                std::array<std::byte, 8> buffer;
                (void)co_await as_result(pair.ours.read(buffer));
            };
            const auto accepts = [&]() -> task<> { (void)co_await as_result(listener.accept()); };
            task_handle<> reading;
            task_handle<> accepting;
            if (waits) {
                reading = spawn(reads);
                accepting = spawn(accepts);
                co_await sleep_for(1ms);   // the kernel has them
            }
            co_await pair.ours.close(loop::current().time() + 10s);
            CHECK_FALSE(is_open(stream));
            co_await listener.close(loop::current().time() + 10s);
            CHECK_FALSE(is_open(listening));
            if (waits) {
                co_await reading;
                co_await accepting;
            }
        }
    });
}
