// asio_echo.cpp - D2: an echo server as one writes it with Asio's coroutines.
#include "echo.hpp"

#include <asio.hpp>

#include <array>
#include <system_error>
#include <utility>

namespace {

using asio::ip::tcp;

asio::awaitable<void> session(tcp::socket socket) {
    std::array<char, bench::echo_buffer> buffer;
    try {
        for (;;) {
            const std::size_t count = co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
            co_await asio::async_write(socket, asio::buffer(buffer, count), asio::use_awaitable);
        }
    } catch (const std::system_error&) {
        // The peer has closed.
    }
}

asio::awaitable<void> serve(tcp::acceptor acceptor, int connections) {
    for (int i = 0; i < connections; ++i) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        asio::co_spawn(acceptor.get_executor(), session(std::move(socket)), asio::detached);
    }
}

}

int main(int argc, char** argv) {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    bench::announce(acceptor.local_endpoint().port());
    asio::co_spawn(context, serve(std::move(acceptor), bench::connections_to_serve(argc, argv)), asio::detached);
    context.run();
}
