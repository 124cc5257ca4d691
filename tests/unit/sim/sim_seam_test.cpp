// sim_seam_test.cpp - the simulated network at the seam: what it refuses, and addresses, ports and partitions of one listener.
#include <corun/sim.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <unit/seam.hpp>

#include <array>
#include <memory>
#include <string>
#include <system_error>

using namespace corun;
using namespace seam;

namespace {

std::error_code control(backend& b, handle h, control_kind kind, address* where = nullptr) {
    control_request r(kind);
    r.where = where;
    return b.control(h, r);
}

handle listener_at(backend& b, address where, socket_type type = socket_type::tcp_v4) {
    const auto opened = b.open(type);
    REQUIRE(opened);
    REQUIRE_FALSE(control(b, *opened, control_kind::bind, &where));
    REQUIRE_FALSE(control(b, *opened, control_kind::listen));
    return *opened;
}

address name_at(backend& b, handle h) {
    address where;
    REQUIRE_FALSE(control(b, h, control_kind::local_address, &where));
    return where;
}

/// What became of an operation that is finished at once.
std::error_code answer_of(backend& b, operation_kind kind, handle h, const address* to = nullptr) {
    std::array<char, 4> buffer{};
    card o(kind, h, buffer.data(), buffer.size());
    if (to)
        o.to = to;
    REQUIRE(b.submit(o) == submitted::finished);
    return o.error_code();
}

/// Whether a connect to the listener is answered before anything else happens.
bool connects_at_once(backend& b, address to) {
    const auto opened = b.open(to.family() == address_family::ipv6 ? socket_type::tcp_v6 : socket_type::tcp_v4);
    REQUIRE(opened);
    card o(operation_kind::connect, *opened);
    o.to = &to;
    if (b.submit(o) == submitted::pending) {
        const bool is_there = collect(b) == std::vector<operation*>{&o};
        if (!is_there) {
            REQUIRE(b.cancel(o));
            collect(b);
        }
        return is_there;
    }
    return !o.error_code();
}

}

TEST_CASE("readiness for nothing is refused at once in a simulation too: a wait for it would never end") {
    const auto b = make_sim(7);
    const handle listener = listener_at(*b, address::loopback());
    card none(operation_kind::poll, listener);
    none.wanted = 0;
    CHECK(b->submit(none) == submitted::finished);
    CHECK(none.error_code() == std::errc::operation_not_supported);
}

TEST_CASE("a simulation refuses what has no counterpart in it") {
    const auto b = make_sim(7);
    CHECK(b->adopt(0, handle_kind::tcp_stream).error() == std::errc::operation_not_supported);
    CHECK(b->wait_handle() == no_native_handle);
    CHECK_FALSE(b->on_news([](void*) noexcept {}, nullptr));
    const auto fresh = b->open(socket_type::tcp_v4);
    REQUIRE(fresh);
    CHECK(control(*b, *fresh, control_kind::native) == std::errc::operation_not_supported);
    CHECK(control(*b, *fresh, control_kind::release) == std::errc::operation_not_supported);
    CHECK(answer_of(*b, static_cast<operation_kind>(200), *fresh) == std::errc::operation_not_supported);
}

TEST_CASE("a simulated handle that was closed is a bad descriptor to every function") {
    const auto b = make_sim(7);
    const auto opened = b->open(socket_type::tcp_v4);
    REQUIRE(opened);
    CHECK_FALSE(b->close(*opened));
    address where;
    CHECK(control(*b, *opened, control_kind::local_address, &where) == std::errc::bad_file_descriptor);
    CHECK(b->close(*opened) == std::errc::bad_file_descriptor);
    CHECK(answer_of(*b, operation_kind::read, *opened) == std::errc::bad_file_descriptor);
}

TEST_CASE("a simulated socket that is no connection has no peer, and one that is can't connect or accept") {
    const auto b = make_sim(7);
    const handle listener = listener_at(*b, address::loopback(0));
    address where = name_at(*b, listener);
    const auto fresh = b->open(socket_type::tcp_v4);
    REQUIRE(fresh);
    CHECK(control(*b, *fresh, control_kind::remote_address, &where) == std::errc::not_connected);
    CHECK(answer_of(*b, operation_kind::read, *fresh) == std::errc::not_connected);
    CHECK(answer_of(*b, operation_kind::write, *fresh) == std::errc::broken_pipe);
    CHECK(answer_of(*b, operation_kind::shutdown, *fresh) == std::errc::not_connected);
    CHECK(answer_of(*b, operation_kind::accept, *fresh) == std::errc::invalid_argument);
    CHECK(answer_of(*b, operation_kind::connect, listener, &where) == std::errc::invalid_argument);
    card readable(operation_kind::poll, *fresh);
    readable.wanted = ready::readable;
    REQUIRE(b->submit(readable) == submitted::pending);
    card writable(operation_kind::poll, *fresh);
    writable.wanted = ready::writable;
    REQUIRE(b->submit(writable) == submitted::finished);
    CHECK(writable.found == ready::writable);
    CHECK(b->cancel(readable));
    CHECK(collect(*b) == std::vector<operation*>{&readable});

    where = name_at(*b, listener);
    CHECK_FALSE(answer_of(*b, operation_kind::connect, *fresh, &where));
    CHECK(answer_of(*b, operation_kind::connect, *fresh, &where) == std::errc::already_connected);
    CHECK(control(*b, *fresh, control_kind::listen) == std::errc::invalid_argument);
    CHECK(control(*b, *fresh, control_kind::bind, &where) == std::errc::invalid_argument);
}

TEST_CASE("a simulated socket is bound to an address of its family, once") {
    const auto b = make_sim(7);
    const auto opened = b->open(socket_type::tcp_v4);
    REQUIRE(opened);
    address six = *address::parse("[::1]:0");
    CHECK(control(*b, *opened, control_kind::bind, &six) == std::errc::address_family_not_supported);
    address other = address::ipv4({10, 0, 0, 1}, 0);
    CHECK(control(*b, *opened, control_kind::bind, &other) == std::errc::address_not_available);
    address well = address::loopback(0);
    CHECK_FALSE(control(*b, *opened, control_kind::bind, &well));
    CHECK(control(*b, *opened, control_kind::bind, &well) == std::errc::invalid_argument);
}

TEST_CASE("simulated IPv6: the loopback and the listener of all addresses") {
    const auto b = make_sim(7);
    const handle one = listener_at(*b, *address::parse("[::1]:0"), socket_type::tcp_v6);
    CHECK(connects_at_once(*b, name_at(*b, one)));
    const handle all = listener_at(*b, *address::parse("[::]:0"), socket_type::tcp_v6);
    const std::uint16_t port = name_at(*b, all).port();
    CHECK(connects_at_once(*b, *address::parse("[::1]:" + std::to_string(port))));
    CHECK(connects_at_once(*b, address::loopback(port)));
}

TEST_CASE("a connection is made with the listener of its own address, not with that of all") {
    const auto b = make_sim(7);
    const handle all = listener_at(*b, *address::parse("0.0.0.0:0"));
    const std::uint16_t port = name_at(*b, all).port();
    CHECK(connects_at_once(*b, address::loopback(port)));
    std::array<char, 1> none{};
    card accepts(operation_kind::accept, all, none.data(), 0);
    CHECK(b->submit(accepts) == submitted::finished);
    CHECK(accepts.accepted);
}

TEST_CASE("a link's properties, and a partition, may be those of one listener's port") {
    sim_control hold;
    const auto b = make_sim(sim_options(7).link(40001, sim_link().delay(std::chrono::seconds(1))), hold);
    const handle slow = listener_at(*b, address::loopback(40001));
    const handle quick = listener_at(*b, address::loopback(40002));
    CHECK_FALSE(connects_at_once(*b, name_at(*b, slow)));
    CHECK(connects_at_once(*b, name_at(*b, quick)));
    hold.partition(40002);
    const handle third = listener_at(*b, address::loopback(40003));
    CHECK_FALSE(connects_at_once(*b, name_at(*b, quick)));
    CHECK(connects_at_once(*b, name_at(*b, third)));
    hold.heal(40002);
    CHECK(connects_at_once(*b, name_at(*b, quick)));
}

TEST_CASE("a simulated socket listens once its connect is cancelled, not before; what was under way to it comes to nothing") {
    const auto b = make_sim(sim_options(7).link(sim_link().delay(std::chrono::seconds(1))));
    address to = name_at(*b, listener_at(*b, address::loopback(0)));
    const auto opened = b->open(socket_type::tcp_v4);
    REQUIRE(opened);
    address where = address::loopback(0);
    REQUIRE_FALSE(control(*b, *opened, control_kind::bind, &where));
    card connects(operation_kind::connect, *opened);
    connects.to = &to;
    REQUIRE(b->submit(connects) == submitted::pending);
    CHECK(control(*b, *opened, control_kind::listen) == std::errc::invalid_argument);
    CHECK(b->cancel(connects));
    CHECK(collect(*b) == std::vector<operation*>{&connects});
    CHECK_FALSE(control(*b, *opened, control_kind::listen));

    const time_point begun = b->now();
    CHECK(collect(*b, time_point::max()).empty());
    CHECK(b->now() - begun == std::chrono::seconds(1));
    card knocks(operation_kind::connect, *b->open(socket_type::tcp_v4));
    where = name_at(*b, *opened);
    knocks.to = &where;
    REQUIRE(b->submit(knocks) == submitted::pending);
    CHECK(collect(*b, time_point::max()) == std::vector<operation*>{&knocks});
    CHECK_FALSE(knocks.error_code());
}

TEST_CASE("without memory a simulated socket is not opened, bound or made a listener, and with it is") {
    if (!testing::allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    const auto b = make_sim(7);
    const auto fails = [](std::size_t nth, auto ask) {
        const testing::failing_allocation failing(nth);
        const std::error_code error = ask();
        REQUIRE(failing.has_failed());
        return error;
    };
    const auto opens = [&] { return b->open(socket_type::tcp_v4).error(); };
    CHECK(fails(1, opens) == std::errc::not_enough_memory);
    CHECK(fails(2, opens) == std::errc::not_enough_memory);   // the place in the table
    const auto opened = b->open(socket_type::tcp_v4);
    REQUIRE(opened);
    CHECK(opened->index == 0);

    address where = address::loopback(40001);
    const auto binds = [&] { return control(*b, *opened, control_kind::bind, &where); };
    CHECK(fails(1, binds) == std::errc::not_enough_memory);
    CHECK(name_at(*b, *opened).port() == 0);
    CHECK_FALSE(binds());
    const auto listens = [&] { return control(*b, *opened, control_kind::listen); };
    CHECK(fails(1, listens) == std::errc::not_enough_memory);
    CHECK_FALSE(connects_at_once(*b, where));
    CHECK_FALSE(listens());
    CHECK(connects_at_once(*b, where));
}
