// ports.hpp - which sockets have which addresses.
#pragma once

#include "socket.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace corun::sim {

/// Listeners and sockets that are bound; connections do not hold an address.
class ports {
public:
    /// Forgets everything: another run begins.
    void begin();

    /// The socket has this address from now on, in the place of the one that had its handle. Throws std::bad_alloc; then nothing has
    /// changed.
    void add(socket&, const address& where);
    void remove(const socket&) noexcept;

    /// True if one of them keeps `asking` from having the address.
    bool is_taken(const socket& asking, const address& where) const noexcept;

    std::uint16_t free_port(const socket& asking, const address& where) noexcept;

    /// Of the listeners that take a connection to the address the most specific, in the order of their handles.
    std::vector<listener*> listeners_for(const address& to) const;

private:
    using place = std::pair<std::uint16_t, std::uint32_t>;   // its port, the index of its handle

    std::map<place, socket*> sockets_;
    std::uint16_t last_ = 49151;
};

}
