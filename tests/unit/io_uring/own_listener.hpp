// own_listener.hpp - a listening socket of the backend's own, and connections that come ahead of who asks for them.
#pragma once

#include <unit/seam.hpp>

/// Listens where `where` says, which names the port afterwards.
inline corun::handle listen_on(corun::backend& b, corun::address& where) {
    using namespace corun;
    const auto h = b.open(socket_type::tcp_v4);
    REQUIRE(h);
    control_request bind(control_kind::bind), listen(control_kind::listen), name(control_kind::local_address);
    bind.where = name.where = &where;
    REQUIRE_FALSE(b.control(*h, bind));
    REQUIRE_FALSE(b.control(*h, listen));
    REQUIRE_FALSE(b.control(*h, name));
    return *h;
}

/// The kernel holds the request that brings connections, and no accept waits.
inline void begin_accepting_ahead(corun::backend& b, corun::handle listener) {
    using namespace corun;
    seam::card o(operation_kind::accept, listener);
    REQUIRE(b.submit(o) == submitted::pending);
    CHECK(seam::collect(b).empty());
    REQUIRE(b.cancel(o));
    CHECK(seam::collect(b) == std::vector<operation*>{&o});
}
