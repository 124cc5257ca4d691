// asio.cpp - corun's tasks and Asio's operations on one io_context, each awaiting the other.
#include <corun/asio_host.hpp>
#include <corun/async_run.hpp>
#include <corun/corun.hpp>
#include <corun/use_task.hpp>

#include <fmt/core.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

using namespace std::chrono_literals;

namespace {

/// A task awaits Asio's timer.
corun::task<int> answer(asio::io_context& context) {
    asio::steady_timer timer(context, 10ms);
    co_await timer.async_wait(corun::use_task);
    co_return 42;
}

/// Asio's coroutine awaits a task.
asio::awaitable<void> ask(asio::io_context& context, corun::guest& guest) {
    const int value = co_await corun::async_run(guest.get_loop(), [&] { return answer(context); }, asio::use_awaitable);
    fmt::print("the answer is {}\n", value);
    guest.request_stop();
}

}

int main() {
    asio::io_context context(1);
    corun::guest guest;
    corun::asio_host host(context, guest);
    guest.start([]() -> corun::task<> { co_await corun::sleep_for(1h); },
                [](corun::outcome<void> end) { fmt::print("the guest was {}\n", end.is_cancelled() ? "cancelled" : "not cancelled"); });
    asio::co_spawn(context, ask(context, guest), asio::detached);
    context.run();
}
