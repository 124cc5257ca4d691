// unconnected.hpp - a socket that is bound, then listens; or connects.
#pragma once

#include "network.hpp"
#include "socket.hpp"

#include <cstdint>
#include <vector>

namespace corun::sim {

class unconnected final : public socket {
public:
    unconnected(engine& e, network& n, const address& at) noexcept : socket(e, at), net_(n) {}

    bool connect(operation&) override;
    std::error_code control(control_request&) override;
    bool expects() const noexcept override { return knocked_ == knock::under_way; }
    void hasten() override { net_.wires.hasten(name); }
    void forget(const operation&) noexcept override;
    void close() override { net_.bound.remove(*this); }
    void arrive(piece, const std::vector<std::byte>&) override { knocked_ = knock::at_the_door; }

private:
    /// A connect over a link with a delay knocks first: it is answered when that has arrived.
    enum class knock : std::uint8_t { none, under_way, at_the_door };

    listener* find_listener(const address& to);
    void join(listener&);
    std::error_code bind(const address&);
    std::error_code listen(int backlog);

    network& net_;
    address remote_;
    knock knocked_ = knock::none;
    const operation* connecting_ = nullptr;   // waits
    handle waits_at_;                         // the listener whose backlog had no room
};

/// A new socket; throws std::bad_alloc.
result<handle> open_socket(engine&, network&, socket_type);

}
