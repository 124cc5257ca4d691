// adopt_test.cpp - sockets of another maker: what is taken over, what is left as it was, what is refused.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/os_descriptor.hpp>

#include <array>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

int flags_of(native_handle h) { return ::fcntl(static_cast<int>(h), F_GETFL); }

/// A blocking socket, connected to the listener.
os::descriptor foreign_client(const tcp_listener& l) {
    os::descriptor made(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(l.local_address().port());
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    os::connect_blocking(made.get(), where);
    return made;
}

/// The code and the text of a refused adoption.
std::pair<std::error_code, std::string> refusal_of(native_handle h) {
    try {
        const auto adopted = tcp_stream::adopt(h);
    } catch (const std::system_error& e) {
        return {e.code(), e.what()};
    }
    return {};
}

}

TEST_CASE("TCP-45 a descriptor that an object has already is refused when it is adopted, and the text says what to do") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto waits = [&]() -> task<std::string> { return read_some(pair.ours); };
        auto waiting = spawn(waits);
        co_await yield();
        const auto [code, text] = refusal_of(pair.ours.native_handle());
        CHECK(code == std::errc::device_or_resource_busy);
        CHECK(text.find("adopt a duplicate") != text.npos);
        co_await write_all(pair.theirs, as_bytes("x"));
        const auto got = co_await waiting;
        CHECK(got == "x");
        CHECK(pair.ours.is_open());
        CHECK(loop::current().counters().open_handles == 2);
    };
    run(main);
}

TEST_CASE(
    "TCP-46 a socket that never was connected is refused as a stream and stays its owner's; one whose connection was reset is read out") {
    const auto main = []() -> task<> {
        const os::descriptor fresh(::socket(AF_INET, SOCK_STREAM, 0));
        CHECK(refusal_of(fresh.get()).first == std::errc::not_connected);
        CHECK(flags_of(fresh.get()) >= 0);

        auto listener = tcp_listener::bind(loopback());
        os::descriptor client = foreign_client(listener);
        auto served = co_await listener.accept();
        co_await write_all(served, as_bytes("last"));
        served.set_reset_on_close(true);
        served.close();
        auto adopted = tcp_stream::adopt(client.get());
        (void)client.release();
        std::array<std::byte, 8> buffer;
        std::error_code end;
        for (int reads = 0; !end && reads < 5; ++reads) {   // a read may give a byte at a time, and four are there
            const auto got = co_await as_result(adopted.read(buffer));
            end = got.error();
        }
        CHECK(end == std::errc::connection_reset);
    };
    run(main);
}

TEST_CASE("TCP-47 the flags of an adopted socket are its maker's before, while and after an operation waits; what it accepts is ours") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        os::descriptor client = foreign_client(listener);
        auto served = co_await listener.accept();
        const int before = flags_of(client.get());
        REQUIRE((before & O_NONBLOCK) == 0);
        auto adopted = tcp_stream::adopt(client.get());
        (void)client.release();
        const native_handle native = adopted.native_handle();
        CHECK(flags_of(native) == before);
        const auto waits = [&]() -> task<std::string> { return read_some(adopted); };
        auto waiting = spawn(waits);
        co_await yield();
        co_await sleep_for(1ms);   // the loop has waited for it
        REQUIRE_FALSE(waiting.is_done());
        CHECK(flags_of(native) == before);
        co_await write_all(served, as_bytes("x"));
        const auto got = co_await waiting;
        CHECK(got == "x");
        CHECK(flags_of(native) == before);

        os::descriptor made(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
        REQUIRE(::listen(made.get(), 5) == 0);
        auto foreign = tcp_listener::adopt(made.get());
        const int number = made.release();
        auto connecting = spawn(connect(foreign.local_address()));
        auto taken = co_await foreign.accept();
        auto ours = co_await std::move(connecting);
        CHECK(taken.nodelay());
        int own = -1;
        socklen_t size = sizeof own;
        REQUIRE(::getsockopt(number, IPPROTO_TCP, TCP_NODELAY, &own, &size) == 0);
        CHECK(own == 0);   // the listener may be another process's, too
        CHECK((flags_of(number) & O_NONBLOCK) == 0);
    };
    run(main);
}

TEST_CASE(
    "ERR-31 a descriptor that was closed behind the loop's back, and whose number is used again, ends neither the process nor the loop") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 8> buffer;
            (void)co_await as_result(pair.ours.read(buffer));
        };
        auto reading = spawn(reads);
        co_await yield();
        co_await sleep_for(1ms);   // the kernel watches it
        const native_handle number = pair.ours.native_handle();
        REQUIRE(::close(static_cast<int>(number)) == 0);
        auto successor = co_await connected_pair();
        CHECK((successor.ours.native_handle() == number || successor.theirs.native_handle() == number));
        reading.cancel();
        (void)co_await settled(reading);
        const bool is_ours = successor.ours.native_handle() == number;
        tcp_stream& hit = is_ours ? successor.ours : successor.theirs;
        tcp_stream& peer = is_ours ? successor.theirs : successor.ours;
        pair.ours.close();   // closes what has the number now
        const auto written = co_await as_result(hit.write(as_bytes("x")));
        CHECK(written.error() == std::errc::bad_file_descriptor);
        std::array<std::byte, 8> buffer;
        (void)co_await as_result(peer.read(buffer));   // an end or an error, by what the closing met
        auto other = co_await connected_pair();
        co_await write_all(other.ours, as_bytes("well"));
        const auto text = co_await read_some(other.theirs);
        CHECK(text == "well");
    };
    run(main);
}
