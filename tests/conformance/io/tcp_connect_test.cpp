// tcp_connect_test.cpp - listeners and connections: how they are made, refused, taken in order and given up.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/trace.hpp>

#include <array>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

std::error_code code_of(const std::exception_ptr& error) {
    try {
        if (error)
            std::rethrow_exception(error);
    } catch (const std::system_error& e) {
        return e.code();
    } catch (...) {
    }
    return {};
}

}

TEST_CASE("TCP-02 port 0 is replaced by a real one, and a second bind to that is address_in_use") {
    const auto main = []() -> task<> {
        const auto first = tcp_listener::bind(loopback());
        const address where = first.local_address();
        CHECK(where.port() != 0);
        std::error_code error;
        std::string text;
        try {
            const auto second = tcp_listener::bind(where);
        } catch (const std::system_error& e) {
            error = e.code();
            text = e.what();
        }
        CHECK(error == std::errc::address_in_use);
        CHECK(text.find(where.to_string()) != text.npos);   // the message says where
        co_return;
    };
    run(main);
}

TEST_CASE("TCP-02 a port is free again as soon as its listener is closed") {
    const auto main = []() -> task<> {
        address where = loopback();
        for (int i = 0; i < 3; ++i) {
            auto listener = tcp_listener::bind(where);
            where = listener.local_address();
            auto client = co_await connect(where);
            auto served = co_await listener.accept();
        }
    };
    run(main);
}

TEST_CASE("TCP-02 a bind to no address, and to one that is not ours, is an error of the bind") {
    const auto main = []() -> task<> {
        const auto bind_error = [](const address& a) {
            try {
                const auto l = tcp_listener::bind(a);
            } catch (const std::system_error& e) {
                return e.code();
            }
            return std::error_code();
        };
        CHECK(bind_error(address()) == std::errc::address_family_not_supported);
        CHECK(bind_error(address::ipv4({192, 0, 2, 1}, 0)) == std::errc::address_not_available);
        CHECK(loop::current().counters().open_handles == 0);
        co_return;
    };
    run(main);
}

TEST_CASE("TCP-03 a connect to a closed port is connection_refused, and leaves nothing open") {
    const auto main = []() -> task<> {
        const address nobody = closed_port();
        const auto left = co_await settled(connect(nobody));
        CHECK(code_of(left.error()) == std::errc::connection_refused);
        CHECK(text_of(left.error()).find(nobody.to_string()) != std::string::npos);
        const auto result = co_await as_result(connect(nobody));
        CHECK(result.error() == std::errc::connection_refused);
        const auto none = co_await as_result(connect(address()));
        CHECK(none.error() == std::errc::address_family_not_supported);
        CHECK(loop::current().counters().open_handles == 0);
    };
    run(main);
}

TEST_CASE("TCP-04 the outcome of a connect is told once, and by its own name") {
    const auto main = []() -> task<> {
        const address nobody = closed_port();
        for (int i = 0; i < 100; ++i) {
            const auto result = co_await as_result(connect(nobody));
            CHECK(result.error() == std::errc::connection_refused);
        }
        // And the success: nothing of the connect is left in the stream's first operations.
        auto listener = tcp_listener::bind(loopback());
        auto client = co_await connect(listener.local_address());
        CHECK(client.remote_address() == listener.local_address());
        const auto sent = co_await as_result(client.write(as_bytes("x")));
        CHECK(sent.has_value());
    };
    run(main);
}

TEST_CASE("TCP-07 two hundred clients that connect before the first accept are all accepted, none is stranded") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const address where = listener.local_address();
        const auto connects = [](address to) -> task<tcp_stream> {
            auto s = co_await connect(to);
            co_return s;
        };
        std::vector<task_handle<tcp_stream>> clients;
        for (int i = 0; i < 200; ++i)
            clients.push_back(spawn(connects, where));
        // Connected means: in the backlog. Nobody accepts yet.
        for (auto& c : clients)
            co_await c;
        std::vector<tcp_stream> served;
        while (served.size() < clients.size()) {
            auto s = co_await listener.accept();
            served.push_back(std::move(s));
        }
        CHECK(served.size() == 200);
    };
    run(main);
}

TEST_CASE("TCP-09 accepts that are pending together are served in order, and the peer's address is told") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        trace order;
        const auto accepts = [&](int number) -> task<> {
            address peer;
            auto s = co_await listener.accept(peer);
            CHECK(peer == s.remote_address());
            order.note(std::to_string(number));
        };
        std::vector<task_handle<>> waiting;
        for (int i = 0; i < 4; ++i)
            waiting.push_back(spawn(accepts, i));
        co_await yield();
        std::vector<tcp_stream> clients;
        for (int i = 0; i < 4; ++i) {
            auto c = co_await connect(listener.local_address());
            clients.push_back(std::move(c));
        }
        for (auto& w : waiting)
            co_await w;
        CHECK(order.joined() == "0 1 2 3");
    };
    run(main);
}

TEST_CASE("TCP-09 a cancelled accept loses no connection: it is returned, or the next accept gets it") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        int returned = 0;
        constexpr int rounds = 200;
        for (int i = 0; i < rounds; ++i) {
            const auto accepts = [&]() -> task<tcp_stream> {
                auto s = co_await listener.accept();
                co_return s;
            };
            auto accepting = spawn(accepts);
            co_await yield();
            auto client = co_await connect(listener.local_address());
            accepting.cancel();
            const auto left = co_await settled(std::move(accepting));
            if (left.has_value()) {
                ++returned;
            } else {
                CHECK(left.threw<task_cancelled>());
                auto s = co_await listener.accept();
                CHECK(s.remote_address() == client.local_address());
            }
            client.set_reset_on_close(true);   // leaves no port in waiting
        }
        CHECK(returned <= rounds);
    };
    run(main);
}

TEST_CASE("TCP-09 of several pending accepts any may be cancelled, the others keep their order") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        trace order;
        const auto accepts = [&](int number) -> task<> {
            auto s = co_await listener.accept();
            order.note(std::to_string(number));
        };
        std::vector<task_handle<>> waiting;
        for (int i = 0; i < 5; ++i)
            waiting.push_back(spawn(accepts, i));
        co_await yield();
        waiting[0].cancel();   // the one that the system knows
        waiting[2].cancel();   // one that stands behind it
        co_await yield();
        CHECK(waiting[2].is_cancelled());
        std::vector<tcp_stream> clients;
        for (int i = 0; i < 3; ++i) {
            auto c = co_await connect(listener.local_address());
            clients.push_back(std::move(c));
        }
        for (const int i : {1, 3, 4})
            co_await waiting[static_cast<std::size_t>(i)];
        CHECK(order.joined() == "1 3 4");
        CHECK(waiting[0].is_cancelled());
    };
    run(main);
}

TEST_CASE("TCP-10 closing a listener ends all its pending accepts with operation_canceled, and refuses who waits and who comes") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const address where = listener.local_address();
        std::vector<std::error_code> ends;
        const auto accepts = [&]() -> task<> {
            const auto s = co_await as_result(listener.accept());
            ends.push_back(s.error());
        };
        std::vector<task_handle<>> waiting;
        for (int i = 0; i < 3; ++i)
            waiting.push_back(spawn(accepts));
        co_await yield();
        listener.close();
        CHECK(ends.empty());   // never inline
        for (auto& w : waiting)
            co_await w;
        REQUIRE(ends.size() == 3);
        for (const auto& e : ends)
            CHECK(e == std::errc::operation_canceled);

        const auto late = co_await as_result(listener.accept());
        CHECK(late.error() == std::errc::bad_file_descriptor);
        const auto refused = co_await as_result(connect(where));
        CHECK(refused.error() == std::errc::connection_refused);
    };
    run(main);
}

TEST_CASE("TCP-10 a client in the backlog of a listener that closes is reset") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        auto client = co_await connect(listener.local_address());
        listener.close();
        std::array<std::byte, 1> byte;
        const auto got = co_await as_result(client.read(byte));
        if (got)
            CHECK(*got == 0);
        else
            CHECK(got.error() == std::errc::connection_reset);
    };
    run(main);
}
