// tcp_option_test.cpp - what sockets are set to, by default and on demand, the same on every backend.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;

namespace {

/// A connection to a listener, made with these options.
task<stream_pair> connected(tcp_listener& listener, connect_options options) {
    auto connecting = spawn(connect(listener.local_address(), options));
    auto theirs = co_await listener.accept();
    auto ours = co_await std::move(connecting);
    co_return stream_pair(std::move(ours), std::move(theirs));
}

/// The code of what `f` throws.
template <class F>
std::error_code error_of(F f) {
    try {
        f();
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}

TEST_CASE("TCP-41 connected and accepted streams send small pieces at once, unless an option says otherwise") {
    const auto main = []() -> task<> {
        for (const bool on : {true, false}) {
            listen_options listening;
            listening.nodelay = on;
            auto listener = tcp_listener::bind(loopback(), listening);
            connect_options connecting;
            connecting.nodelay = on;
            auto first = co_await connected(listener, connecting);
            auto second = co_await connected(listener, connecting);
            CHECK(first.ours.nodelay() == on);
            CHECK(first.theirs.nodelay() == on);
            CHECK(second.theirs.nodelay() == on);
        }
        auto pair = co_await connected_pair();
        CHECK(pair.ours.nodelay());
        CHECK(pair.theirs.nodelay());
    };
    run(main);
}

TEST_CASE("TCP-42 a listener of all IPv6 addresses takes IPv4 too, and both sides name the same ports; with v6_only it does not") {
    const auto main = []() -> task<> {
        const address all = *address::parse("[::]:0");
        auto listener = tcp_listener::bind(all);
        const address where = loopback(listener.local_address().port());
        auto connecting = spawn(connect(where));
        address peer;
        auto theirs = co_await listener.accept(peer);
        auto ours = co_await std::move(connecting);
        CHECK(peer == theirs.remote_address());
        CHECK(peer.family() == address_family::ipv6);
        CHECK(peer.to_string() == "[::ffff:127.0.0.1]:" + std::to_string(ours.local_address().port()));
        CHECK(ours.remote_address() == where);
        co_await write_all(ours, as_bytes("x"));
        const auto text = co_await read_some(theirs);
        CHECK(text == "x");

        CHECK(error_of([&] { const auto other = tcp_listener::bind(where); }) == std::errc::address_in_use);
        listener.close();
        listen_options only;
        only.v6_only = true;
        auto beside = tcp_listener::bind(loopback());   // the first: a port that is free for IPv6 may be somebody's for IPv4
        const std::uint16_t port = beside.local_address().port();
        const auto narrow = tcp_listener::bind(*address::parse("[::]:" + std::to_string(port)), only);
        CHECK(narrow.is_open());
        beside.close();
        const auto refused = co_await as_result(connect(loopback(port)));
        CHECK(refused.error() == std::errc::connection_refused);
    };
    run(main);
}

TEST_CASE("TCP-43 listeners that share a port are both bound to it, and every connection reaches one of them") {
    const auto main = []() -> task<> {
        listen_options shared;
        shared.reuse_port = true;
        auto first = tcp_listener::bind(loopback(), shared);
        auto second = tcp_listener::bind(first.local_address(), shared);
        CHECK(error_of([&] { const auto third = tcp_listener::bind(first.local_address()); }) == std::errc::address_in_use);
        std::vector<tcp_stream> served;
        const auto serves = [&](tcp_listener& l) -> task<> {
            for (;;)
                served.push_back(co_await l.accept());
        };
        auto one = spawn(serves, std::ref(first));
        auto other = spawn(serves, std::ref(second));
        std::vector<tcp_stream> clients;
        for (int i = 0; i < 20; ++i)
            clients.push_back(co_await connect(first.local_address()));
        while (served.size() < clients.size())
            co_await yield();
        one.cancel();
        other.cancel();
        (void)co_await settled(one);
        (void)co_await settled(other);
        CHECK(served.size() == 20);
    };
    run(main);
}

TEST_CASE("TCP-44 a buffer of less than one byte is refused, and nothing has changed") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        for (const int size : {0, -1, -5}) {
            const int receives = pair.ours.receive_buffer_size();
            const int sends = pair.ours.send_buffer_size();
            CHECK(error_of([&] { pair.ours.set_receive_buffer_size(size); }) == std::errc::invalid_argument);
            CHECK(error_of([&] { pair.ours.set_send_buffer_size(size); }) == std::errc::invalid_argument);
            CHECK(pair.ours.receive_buffer_size() == receives);
            CHECK(pair.ours.send_buffer_size() == sends);
        }
    };
    run(main);
}
