// connected_pair.hpp - two streams that are connected to each other.
//
// In the header, so that it is compiled the way the case that uses it is (see the conformance suite's "other way").
#pragma once

#include <corun/address.hpp>
#include <corun/spawn.hpp>
#include <corun/tcp.hpp>

#include <utility>

namespace testing {

/// Port 0 of the loopback interface: a listener bound to it gets a free port.
inline corun::address loopback() { return corun::address::loopback(); }

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

}
