// echo_server.cpp [port] - sends back what it gets, until Ctrl-C or SIGTERM: then every connection is closed, and the exit code is 128
// and the signal's number. A client that resets ends its own task only; without descriptors, accepting waits until there are some again.
#include <corun/corun.hpp>

#include <fmt/core.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace {

std::uint64_t connections = 0;
std::uint64_t bytes_echoed = 0;

corun::task<> echo(corun::tcp_stream stream) {
    ++connections;
    std::array<std::byte, 16384> buffer;
    try {
        for (;;) {
            const std::size_t count = co_await stream.read(buffer);
            if (count == 0)
                break;
            co_await corun::write_all(stream, corun::bytes(buffer).first(count));
            bytes_echoed += count;
        }
    } catch (const std::system_error& e) {
        fmt::print(stderr, "a client left: {}\n", e.what());
    }
}

corun::task<> serve(std::uint16_t port) {
    auto listener = corun::tcp_listener::bind(corun::address::loopback(port));
    fmt::print("listening on {}\n", listener.local_address().to_string());
    std::fflush(stdout);
    co_await corun::with_task_group([&](corun::task_group& clients) -> corun::task<> {
        for (;;) {
            auto client = co_await corun::as_result(listener.accept());
            if (client)
                clients.spawn(echo, *std::move(client));
            else
                fmt::print(stderr, "no client: {}\n", client.error().message());
        }
    });
}

}

int main(int argc, char* argv[]) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
    const int code = corun::run_main(corun::run_options().stop_on_termination(true), serve, port);
    fmt::print("served {} connections, {} bytes; all closed\n", connections, bytes_echoed);
    return code;
}
