// echo_client.cpp ADDRESS [clients] [kilobytes] - many clients at once; each checks every byte that comes back.
#include <corun/corun.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

namespace {

std::uint64_t checked = 0;

corun::task<> send(corun::tcp_stream& stream, const std::vector<std::byte>& data) {
    co_await corun::write_all(stream, data);
    co_await stream.shutdown();
}

corun::task<> receive(corun::tcp_stream& stream, const std::vector<std::byte>& expected) {
    std::vector<std::byte> echoed(expected.size());
    co_await corun::read_exactly(stream, echoed);
    if (echoed != expected)
        throw std::runtime_error("the server sent back something else");
    checked += echoed.size();
}

corun::task<> client(corun::address where, std::size_t number, std::size_t size) {
    std::vector<std::byte> data(size);
    std::ranges::generate(data,
                          [x = static_cast<std::uint32_t>(number)]() mutable { return std::byte((x = x * 1664525 + 1013904223) >> 24); });
    auto stream = co_await corun::connect(where);
    co_await corun::gather(send(stream, data), receive(stream, data));
}

corun::task<> run_clients(corun::address where, std::size_t count, std::size_t size) {
    const auto start = corun::clock::now();
    co_await corun::with_task_group([&](corun::task_group& g) -> corun::task<> {
        for (std::size_t i = 0; i < count; ++i)
            g.spawn(client, where, i + 1, size);
        co_return;
    });
    const std::chrono::duration<double> seconds = corun::clock::now() - start;
    fmt::print("{:>8} {:>12} {:>8} {:>7}\n{:>8} {:>12} {:>8.3f} {:>7}\n", "clients", "bytes", "seconds", "errors", count, checked,
               seconds.count(), 0);
}

}

int main(int argc, char* argv[]) {
    if (argc < 2)
        return fmt::print(stderr, "echo_client ADDRESS [clients] [kilobytes], as in: echo_client 127.0.0.1:7000 100 64\n"), 2;
    const auto number = [&](int i, std::size_t otherwise) { return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise; };
    const auto where = corun::address::parse(argv[1]);
    if (!where)
        return fmt::print(stderr, "echo_client: {} is no address; it takes numbers, as in 127.0.0.1:7000 or [::1]:7000\n", argv[1]), 2;
    return corun::run_main(run_clients, *where, number(2, 100), number(3, 64) * 1024);
}
