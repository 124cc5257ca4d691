// asio_memory.cpp - E1: what a coroutine of Asio holds while it waits for a timer.
#include "memory.hpp"

#include <asio.hpp>

#include <chrono>

namespace {

constexpr int tasks = 100'000;

asio::awaitable<void> sleeper(std::chrono::seconds d) {
    asio::steady_timer timer(co_await asio::this_coro::executor, d);
    co_await timer.async_wait(asio::use_awaitable);
}

}

int main() {
    asio::io_context context(1);
    const bench::memory before = bench::memory::now();
    for (int i = 0; i < tasks; ++i)
        asio::co_spawn(context, sleeper(std::chrono::seconds(3600 + i)), asio::detached);
    context.poll();   // all of them sleep now
    bench::print_growth(before, bench::memory::now(), tasks);
}
