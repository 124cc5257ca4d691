// one_context.cpp - an HTTP server of Asio's and an echo server of corun's on one io_context, one thread; until Ctrl-C. `GET /run` calls
// corun::run in an Asio handler and answers what that says.
#include <corun/asio_host.hpp>
#include <corun/corun.hpp>

#include <fmt/core.h>

#include <array>
#include <cstdio>
#include <exception>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace {

using asio::ip::tcp;

std::size_t echoed = 0;
std::size_t answered = 0;

std::string body_for(const std::string& path) {
    if (path != "/run")
        return fmt::format("echoed {} bytes, answered {} requests\n", echoed, answered);
    try {
        corun::run([]() -> corun::task<> { co_return; });
        return "it ran\n";
    } catch (const corun::usage_error& e) {
        return std::string(e.what()) + "\n";
    }
}

asio::awaitable<void> answer(tcp::socket socket) {
    std::string request;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(request, 8192), "\r\n\r\n", asio::use_awaitable);
    ++answered;
    const std::size_t path = request.find(' ') + 1;
    const std::string body = body_for(request.substr(path, request.find(' ', path) - path));
    const std::string response = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(), body);
    co_await asio::async_write(socket, asio::buffer(response), asio::use_awaitable);
}

asio::awaitable<void> serve_http(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), answer(std::move(socket)), asio::detached);
    }
}

corun::task<> echo(corun::tcp_stream stream) {
    std::array<std::byte, 16384> buffer;
    while (const std::size_t count = co_await stream.read(buffer)) {
        co_await corun::write_all(stream, corun::bytes(buffer).first(count));
        echoed += count;
    }
}

corun::task<> serve_echo() {
    auto listener = corun::tcp_listener::bind(corun::address::loopback());
    fmt::print("echo on {}\n", listener.local_address().to_string());
    std::fflush(stdout);
    co_await corun::with_task_group([&](corun::task_group& clients) -> corun::task<> {
        for (;;)
            clients.spawn(echo, co_await listener.accept());
    });
}

}

int main() {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    fmt::print("http on 127.0.0.1:{}\n", acceptor.local_endpoint().port());
    corun::guest guest;
    corun::asio_host host(context, guest);
    guest.start(serve_echo, [&](corun::outcome<void> end) {
        fmt::print("the echo server was {}; echoed {} bytes, answered {} requests\n", end.is_cancelled() ? "cancelled" : "broken", echoed,
                   answered);
        context.stop();
    });
    asio::signal_set interrupts(context, SIGINT);
    interrupts.async_wait([&](std::error_code, int) { guest.request_stop(); });
    asio::co_spawn(context, serve_http(acceptor), asio::detached);
    context.run();
}
