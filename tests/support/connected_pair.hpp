// connected_pair.hpp - two streams that are connected to each other.
//
// In the header, so that it is compiled the way the case that uses it is (see the conformance suite's "other way").
#pragma once

#include <corun/address.hpp>
#include <corun/buffer.hpp>
#include <corun/spawn.hpp>
#include <corun/tcp.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace testing {

/// Port 0 of the loopback interface: a listener bound to it gets a free port.
inline corun::address loopback(std::uint16_t port = 0) { return corun::address::loopback(port); }

/// A port of the loopback interface where nobody listens. Not one of the system's choice that was closed again: that may be another
/// program's by the time, whose connections would be taken from it, or even the connecting socket's own.
inline corun::address closed_port() { return corun::address::loopback(1); }

struct stream_pair {
    stream_pair(corun::tcp_stream a, corun::tcp_stream b) noexcept : ours(std::move(a)), theirs(std::move(b)) {}

    corun::tcp_stream ours;
    corun::tcp_stream theirs;
};

/// A connection over loopback.
inline corun::task<stream_pair> connected_pair() {
    auto listener = corun::tcp_listener::bind(loopback());
    const auto connects = [](corun::address to) -> corun::task<corun::tcp_stream> {
        auto stream = co_await corun::connect(to);
        co_return stream;
    };
    auto connecting = corun::spawn(connects, listener.local_address());
    auto theirs = co_await listener.accept();
    auto ours = co_await std::move(connecting);
    co_return stream_pair(std::move(ours), std::move(theirs));
}

/// What can be read at once.
inline corun::task<std::string> read_some(corun::tcp_stream& s) {
    std::array<std::byte, 64> buffer;
    const std::size_t count = co_await s.read(buffer);
    co_return std::string(corun::as_text(corun::const_bytes(buffer).first(count)));
}

}
