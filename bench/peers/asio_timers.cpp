// asio_timers.cpp - B1 and B2 in Asio: steady_timer, awaited and cancelled.
#include "question.hpp"

#include <asio.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace {

asio::awaitable<void> sleeper(std::chrono::microseconds d) {
    asio::steady_timer timer(co_await asio::this_coro::executor, d);
    co_await timer.async_wait(asio::use_awaitable);
}

void sleep_all(std::int64_t n) {
    asio::io_context context(1);
    bench::delays delays;
    for (std::int64_t i = 0; i < n; ++i)
        asio::co_spawn(context, sleeper(std::chrono::microseconds(delays.next(100'000))), asio::detached);
    context.run();
}

void set_and_cancel(std::int64_t n) {
    asio::io_context context(1);
    bench::delays delays;
    std::vector<asio::steady_timer> timers;
    timers.reserve(std::size_t(n));
    for (std::int64_t i = 0; i < n; ++i) {
        timers.emplace_back(context, std::chrono::hours(1) + std::chrono::microseconds(delays.next(100'000'000)));
        timers.back().async_wait([](std::error_code error) {
            if (!error)
                std::abort();
        });
    }
    for (auto& t : timers)
        t.cancel();
    context.run();
}

const bench::question b1("B1", sleep_all);
const bench::question b2("B2", set_and_cancel);

}
