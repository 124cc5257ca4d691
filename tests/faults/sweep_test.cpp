// sweep_test.cpp - one failing call after the other in a small program with a server and a client: each task ends with a value or an
// error, the loop goes on, nothing is left. What is left is found by the frame, as in every case.
#include "faults.hpp"

#include <corun/backend.hpp>
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// How a task ended: "ok", the error's name, or what must not be.
template <class Task>
task<std::string> told(Task t) {
    try {
        co_await std::move(t);
        co_return "ok";
    } catch (const std::system_error& e) {
        co_return e.code().default_error_condition().message();
    } catch (const end_of_stream&) {
        co_return "end";
    }
}

/// Closes the listener at its end: who has connected must not wait for ever.
task<> serves(tcp_listener listener) {
    auto s = co_await listener.accept();
    std::array<std::byte, 3000> buffer;
    co_await read_exactly(s, buffer);
    co_await write_all(s, const_bytes(buffer));
    co_await s.shutdown();
}

task<> asks(address to) {
    auto s = co_await connect(to);
    const std::string question(3000, 'q');
    co_await write_all(s, as_bytes(question));
    std::array<std::byte, 1000> one;
    std::array<std::byte, 2000> two;
    const std::array<bytes, 2> both{bytes(one), bytes(two)};
    std::size_t came = 0;
    co_await s.readable();
    while (came < question.size()) {
        const std::size_t n = co_await s.read(both);
        if (n == 0)
            break;
        came += n;
    }
}

struct ends {
    std::string of_server = "none";
    std::string of_client = "none";
};

/// A server and a client; the one is given up when the other has failed. Nobody may hang.
task<ends> exchange() {
    ends e;
    auto listener = tcp_listener::bind(loopback());
    const address where = listener.local_address();
    auto server = spawn(told<task<>>, serves(std::move(listener)));
    e.of_client = co_await told(asks(where));
    // Without a client there is nobody to serve.
    const bool unserved = e.of_client != "ok";
    if (unserved)
        server.cancel();
    try {
        e.of_server = co_await std::move(server);
    } catch (const task_cancelled&) {
        e.of_server = "cancelled";
    }
    co_return e;
}

/// What the whole run came to.
std::string run_exchange() {
    try {
        const ends e = run(exchange);
        return e.of_server + ", " + e.of_client;
    } catch (const std::system_error& e) {
        return "run: " + e.code().default_error_condition().message();
    }
}

struct native_listener {
    address where;
    native_handle native;
};

/// A listener whose own accept() waits.
native_listener blocking_listener() {
    auto listener = tcp_listener::bind(loopback());
    const address where = listener.local_address();
    const int duplicate = ::fcntl(static_cast<int>(listener.native_handle()), F_DUPFD_CLOEXEC, 0);
    REQUIRE(duplicate >= 0);
    REQUIRE(::fcntl(duplicate, F_SETFL, ::fcntl(duplicate, F_GETFL) & ~O_NONBLOCK) == 0);
    return {where, duplicate};
}

/// Each call of the kind fails once, until a run has no such call left. Gives how many have failed.
std::size_t sweep(faults::calls kind, int error) {
    std::size_t nth = 1;
    for (;; ++nth) {
        std::string came_to;
        bool has_failed = false;
        {
            const faults::failing_call failing(kind, nth, error);
            came_to = run_exchange();
            has_failed = failing.has_failed();
        }
        INFO("call " << nth << " answers " << error << ": " << came_to);
        if (!has_failed) {
            CHECK(came_to == "ok, ok");
            break;
        }
        CHECK(came_to.find("none") == std::string::npos);
        // Nobody is told of anything else than what befell him, or of how the other one ended by it. Some things are simply tried again.
        const std::string named = std::error_code(error, std::system_category()).default_error_condition().message();
        CHECK((came_to == "ok, ok" || came_to.find(named) != std::string::npos));
        CHECK(run_exchange() == "ok, ok");
    }
    return nth - 1;
}

}

TEST_CASE("F-01 a listener that blocks, taken over, is asked first; interrupted at that, the loop is not held up by an accept") {
    const faults::in_force in_force(faults::plan_of("F-01"));
    run([]() -> task<> {
        auto [where, native] = blocking_listener();
        auto listener = tcp_listener::adopt(native);
        for (int i = 0; i < 20; ++i) {
            const auto accepts = [&listener]() -> task<tcp_stream> { co_return co_await listener.accept(); };
            auto accepting = spawn(accepts);
            co_await yield();   // asks while nobody has come
            auto client = co_await connect(where);
            auto served = co_await std::move(accepting);
        }
    });
}

TEST_CASE(
    "F-08 a listener that blocks, taken over, is asked again after a connection that has gone: none but the next holds an accept up") {
    faults::plan p;
    p.lost_connections = 50;
    p.takes_lost_ones = true;
    const faults::in_force in_force(p);
    run([]() -> task<> {
        auto [where, native] = blocking_listener();
        auto listener = tcp_listener::adopt(native);
        for (int i = 0; i < 20; ++i) {
            const auto serves_one = [&listener]() -> task<> {
                auto s = co_await listener.accept();
                co_await write_all(s, as_bytes("x"));
            };
            auto serving = spawn(serves_one);
            std::size_t came = 0;
            while (came == 0) {   // who has been lost comes again
                auto client = co_await connect(where);
                std::array<std::byte, 1> byte;
                const auto got = co_await as_result(client.read(byte));
                came = got ? *got : 0;
            }
            co_await std::move(serving);
        }
    });
}

TEST_CASE("F-01 an exchange whose calls are interrupted, refused, lost or taken late comes out as ever") {
    for (const char* const id : {"F-01", "F-02", "F-08", "F-11"}) {
        INFO(id);
        const faults::in_force in_force(faults::plan_of(id));
        int as_ever = 0;
        for (int i = 0; i < 30; ++i)
            as_ever += run_exchange() == "ok, ok";
        CHECK(as_ever == 30);
    }
}

TEST_CASE("F-01 a close that a signal interrupts has closed, and is no error") {
    const auto b = make_default_backend();
    const auto h = b->open(socket_type::tcp_v4);
    REQUIRE(h);
    faults::plan p;
    p.interrupted = 100;
    const std::size_t before = faults::count();
    std::error_code answered;
    {
        const faults::in_force in_force(p);
        answered = b->close(*h);
    }
    CHECK(faults::count() > before);
    CHECK_FALSE(answered);
}

TEST_CASE("F-08 a listener whose every connection is lost does not keep the loop: the accept answers so") {
    run([]() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        faults::plan p;
        p.lost_connections = 100;
        const faults::in_force in_force(p);
        const auto came = co_await as_result(listener.accept());
        const std::error_code told = came.error();
        CHECK((told == std::errc::connection_aborted || told == std::errc::protocol_error || told == std::errc::network_down));
    });
}

TEST_CASE("F-04 each call that makes a descriptor finds none left: an error of that operation or of the run, and nothing stays open") {
    for (const int error : {EMFILE, ENFILE})
        CHECK(sweep(faults::calls::making_descriptors, error) >= 2);
}

TEST_CASE("F-05 each call that takes memory of the system is refused: an error of that operation alone, and the next run is as ever") {
    for (const int error : {ENOMEM, ENOBUFS})
        CHECK(sweep(faults::calls::taking_memory, error) >= 2);
}

TEST_CASE("F-05 a poller is refused each descriptor that it is to watch: an error of that operation alone, and the next run is as ever") {
    for (const int error : {ENOMEM, ENOSPC})
        (void)sweep(faults::calls::registering, error);
}

TEST_CASE("F-07 each transfer fails as the connection's end: every task of both sides ends, with a value or an error") {
    for (const int error : {ECONNRESET, EPIPE, ETIMEDOUT})
        CHECK(sweep(faults::calls::moving_bytes, error) >= 2);
}

TEST_CASE("F-08 every fifth connection has gone before it was accepted: the listener takes all the others") {
    faults::plan p;
    p.lost_connections = 20;
    const faults::in_force in_force(p);
    const std::size_t before = faults::count();
    const int served = run([]() -> task<int> {
        auto listener = tcp_listener::bind(loopback());
        int taken = 0;
        for (int i = 0; i < 100; ++i) {
            auto connecting = spawn([](address to) -> task<> { auto s = co_await connect(to); }, listener.local_address());
            auto s = co_await listener.accept();
            ++taken;
            co_await std::move(connecting);
        }
        co_return taken;
    });
    CHECK(served == 100);
    CHECK(faults::count() > before);
}
