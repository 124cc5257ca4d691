// echo_server.cpp - D2: an echo server as one writes it with corun.
#include "echo.hpp"

#include <corun/corun.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

corun::task<> session(corun::tcp_stream stream) {
    std::array<std::byte, bench::echo_buffer> buffer;
    while (const std::size_t count = co_await stream.read(buffer))
        co_await corun::write_all(stream, corun::const_bytes(buffer).first(count));
}

corun::task<> serve(int connections) {
    auto listener = corun::tcp_listener::bind(corun::address::loopback());
    bench::announce(listener.local_address().port());

    std::vector<corun::task_handle<>> sessions;
    for (int i = 0; i < connections; ++i) {
        corun::tcp_stream stream = co_await listener.accept();
        sessions.push_back(corun::spawn(session(std::move(stream))));
    }
    for (auto& s : sessions)
        co_await s;
}

}

int main(int argc, char** argv) {
    const int connections = bench::connections_to_serve(argc, argv);
    corun::run([connections] { return serve(connections); });
}
