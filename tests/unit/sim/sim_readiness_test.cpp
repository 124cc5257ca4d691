// sim_readiness_test.cpp - when a simulated socket is ready: a listener to be read, a stream to be written.
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <unit/seam.hpp>

#include <array>
#include <memory>
#include <vector>

using namespace corun;
using namespace seam;

namespace {

/// A listener and a socket that may connect to it.
struct two_sockets {
    explicit two_sockets(backend& engine) : b(engine), listener(open()), client(open()) {
        control_request bind(control_kind::bind), listen(control_kind::listen);
        bind.where = &where;
        REQUIRE_FALSE(b.control(listener, bind));
        REQUIRE_FALSE(b.control(listener, listen));
    }
    handle open() {
        const auto opened = b.open(socket_type::tcp_v4);
        REQUIRE(opened);
        return *opened;
    }
    void connect() {
        card o(operation_kind::connect, client);
        o.to = &where;
        REQUIRE(b.submit(o) == submitted::finished);
        REQUIRE(o.error == 0);
    }
    handle accept() {
        card o(operation_kind::accept, listener);
        REQUIRE(b.submit(o) == submitted::finished);
        REQUIRE(o.error == 0);
        return o.accepted;
    }

    backend& b;
    address where = address::loopback(40001);
    handle listener;
    handle client;
};

submitted ask(backend& b, card& o, std::uint8_t wanted) {
    o.wanted = wanted;
    return b.submit(o);
}

/// True if the stream is said to be writable at once.
bool is_writable(backend& b, handle h) {
    card o(operation_kind::poll, h);
    if (ask(b, o, ready::writable) == submitted::finished)
        return o.error == 0 && o.found == ready::writable;
    REQUIRE(b.cancel(o));
    CHECK(collect(b) == std::vector<operation*>{&o});
    return false;
}

void write(backend& b, handle h, std::string_view text) {
    write_card w(h, text);
    REQUIRE(b.submit(w.o) == submitted::finished);
    REQUIRE(w.o.count == text.size());
}

void shut_down(backend& b, handle h) {
    card o(operation_kind::shutdown, h);
    REQUIRE(b.submit(o) == submitted::finished);
    REQUIRE(o.error == 0);
}

}

TEST_CASE("a simulated listener is readable while a connection waits to be accepted") {
    const auto b = make_sim(7);
    two_sockets s(*b);
    card waits(operation_kind::poll, s.listener);
    REQUIRE(ask(*b, waits, ready::readable) == submitted::pending);
    CHECK(collect(*b).empty());
    s.connect();
    CHECK(collect(*b) == std::vector<operation*>{&waits});
    CHECK(waits.found == ready::readable);
    (void)s.accept();
    card again(operation_kind::poll, s.listener);
    CHECK(ask(*b, again, ready::readable) == submitted::pending);
    CHECK(b->cancel(again));
    CHECK(collect(*b) == std::vector<operation*>{&again});
}

TEST_CASE("a simulated stream is writable while its peer has room") {
    const auto b = make_sim(sim_options(7).link(sim_link().buffer(10)));
    two_sockets s(*b);
    s.connect();
    const handle served = s.accept();
    CHECK(is_writable(*b, s.client));
    write(*b, s.client, "0123456789");
    CHECK_FALSE(is_writable(*b, s.client));
    card waits(operation_kind::poll, s.client);
    REQUIRE(ask(*b, waits, ready::writable) == submitted::pending);
    CHECK(collect(*b).empty());
    read_card r(served, 1);
    CHECK(b->submit(r.o) == submitted::finished);
    CHECK(collect(*b) == std::vector<operation*>{&waits});
    CHECK(waits.found == ready::writable);
    CHECK(is_writable(*b, s.client));
}

TEST_CASE("a simulated stream is writable when a write would fail instead of waiting") {
    for (const bool peer_goes : {false, true}) {
        const auto b = make_sim(sim_options(7).link(sim_link().buffer(10)));
        two_sockets s(*b);
        s.connect();
        const handle served = s.accept();
        write(*b, s.client, "0123456789");
        CHECK_FALSE(is_writable(*b, s.client));
        if (peer_goes)
            CHECK_FALSE(b->close(served));
        else
            shut_down(*b, s.client);
        CHECK(is_writable(*b, s.client));
    }
}
