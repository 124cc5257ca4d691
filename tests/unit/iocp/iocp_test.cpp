// iocp_test.cpp - the completion port itself: told once with and without the mode that skips what succeeds at once, batches, adopted
// sockets, the helper thread's wait, the system's codes.
#include <corun/corun.hpp>
#include <corun/iocp.hpp>
#include <iocp/winsock.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <unit/cards_without_handle.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> echoes(tcp_stream s) {
    std::vector<std::byte> buffer(5000);
    for (;;) {
        const std::size_t n = co_await s.read(buffer);
        if (n == 0)
            co_return;
        co_await write_all(s, const_bytes(buffer).first(n));
    }
}

/// A thousand bytes there and back, in pieces; gives how many came.
task<std::size_t> asks(address to) {
    auto s = co_await connect(to);
    std::string back;
    for (int i = 0; i < 10; ++i) {
        co_await write_all(s, as_bytes(std::string(100, static_cast<char>('a' + i))));
        std::vector<std::byte> buffer(100);
        co_await read_exactly(s, buffer);
        back += as_text(buffer);
    }
    co_return back.size();
}

task<> serves(tcp_listener& l, int clients) {
    const auto all = [&l, clients](task_group& g) -> task<> {
        for (int i = 0; i < clients; ++i) {
            auto s = co_await l.accept();
            g.spawn(echoes(std::move(s)));
        }
    };
    co_await with_task_group(all);
}

/// Two ends of a connection that corun knows nothing of.
struct native_pair {
    native_pair() {
        iocp::start_winsock();
        const SOCKET listener = ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int size = sizeof at;
        REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&at), size) == 0);
        REQUIRE(::listen(listener, 1) == 0);
        REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        one = ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED);
        REQUIRE(::connect(one, reinterpret_cast<const sockaddr*>(&at), size) == 0);
        other = ::accept(listener, nullptr, nullptr);
        ::closesocket(listener);
    }

    SOCKET one = INVALID_SOCKET;
    SOCKET other = INVALID_SOCKET;
};

}

TEST_CASE("RES-06 what succeeds at once is told once, whether or not the port tells it again") {
    for (const bool skips : {true, false}) {
        const auto moved = run(run_options().with(make_iocp(iocp_options(skips))), []() -> task<std::size_t> {
            constexpr int clients = 80;   // more than one batch of the port's
            auto listener = tcp_listener::bind(loopback());
            auto serving = spawn(serves, std::ref(listener), clients);
            std::vector<task_handle<std::size_t>> asking;
            for (int i = 0; i < clients; ++i)
                asking.push_back(spawn(asks, listener.local_address()));
            std::size_t total = 0;
            for (auto& a : asking) {
                const std::size_t n = co_await std::move(a);
                total += n;
            }
            co_await std::move(serving);
            co_return total;
        });
        CHECK(moved == 80'000);
    }
}

TEST_CASE("TCP-30 a native socket is taken over, with what it had received; another kind of handle is refused and stays the caller's") {
    native_pair pair;
    run([&]() -> task<> {
        auto ours = tcp_stream::adopt(static_cast<native_handle>(pair.one));
        REQUIRE(::send(pair.other, "hello", 5, 0) == 5);
        const std::string text = co_await read_some(ours);
        CHECK(text == "hello");
        co_await write_all(ours, as_bytes("you"));
        char back[3];
        CHECK(::recv(pair.other, back, 3, MSG_WAITALL) == 3);

        CHECK_THROWS_AS(tcp_listener::adopt(static_cast<native_handle>(pair.other)), std::system_error);
        const SOCKET datagrams = ::WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0, WSA_FLAG_OVERLAPPED);
        try {
            (void)tcp_stream::adopt(static_cast<native_handle>(datagrams));
            FAIL("adopted");
        } catch (const std::system_error& e) {
            CHECK(e.code() == std::errc::wrong_protocol_type);
        }
        CHECK(::closesocket(datagrams) == 0);
        try {
            (void)tcp_stream::adopt(static_cast<native_handle>(datagrams));
            FAIL("adopted");
        } catch (const std::system_error& e) {
            CHECK(e.code() == std::errc::not_a_socket);
        }
    });
    CHECK(::closesocket(pair.other) == 0);
}

TEST_CASE("block() returns for a wake and for an answer, and the next wait() has what it took from the port") {
    const auto b = make_iocp();
    std::thread waker([&] { b->wake(); });
    b->block(no_deadline);
    waker.join();
    operation_list finished;
    CHECK(b->wait(time_point::min(), finished) == waited::news);
    CHECK(b->wait(time_point::min(), finished) == waited::nothing);

    const auto began = b->now();
    b->block(began + 20ms);
    CHECK(b->now() >= began + 19ms);   // may be early by less than a tick of its own; the loop looks at the clock
    CHECK(b->wait(time_point::min(), finished) == waited::nothing);
}

TEST_CASE("codes of Windows compare with std::errc and keep their number and text") {
    const std::error_code refused(WSAECONNREFUSED, native_category());
    CHECK(refused == std::errc::connection_refused);
    CHECK(refused.value() == WSAECONNREFUSED);
    CHECK(refused.message() == std::system_category().message(WSAECONNREFUSED));
    CHECK(std::error_code(ERROR_NETNAME_DELETED, native_category()) == std::errc::connection_reset);
    CHECK(std::error_code(ERROR_OPERATION_ABORTED, native_category()) == std::errc::operation_canceled);
    CHECK(std::error_code(WSAESHUTDOWN, native_category()) == std::errc::broken_pipe);
    CHECK(std::error_code(WSAEMFILE, native_category()) == std::errc::too_many_files_open);
    CHECK(std::error_code(WSAEADDRINUSE, native_category()) == std::errc::address_in_use);
    CHECK_FALSE(std::error_code(87, native_category()) == std::errc::connection_refused);
}

TEST_CASE("cards without a handle pass the completion port") {
    const auto b = make_iocp();
    const auto open = b->open(socket_type::tcp_v4);   // so that there is a table
    REQUIRE(open);
    check_cards_without_handle(*b);
    CHECK_FALSE(b->close(*open));
}
