// loopback.hpp - the addresses of the simulated network.
#pragma once

#include <corun/address.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace corun::sim {

inline bool is_any(const address& a) noexcept {
    return std::all_of(a.octets().begin(), a.octets().end(), [](std::uint8_t octet) { return octet == 0; });
}

inline bool is_loopback(const address& a) noexcept {
    if (a.family() == address_family::ipv4)
        return a.octets()[0] == 127;
    return a.octets() == std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

/// An IPv4 address as an IPv6 socket sees it.
inline address as_ipv6(const address& a) noexcept {
    if (a.family() == address_family::ipv6)
        return a;
    const auto& o = a.octets();
    return address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, o[0], o[1], o[2], o[3]}, a.port());
}

inline address with_port(const address& a, std::uint16_t port) noexcept {
    if (a.family() == address_family::ipv6)
        return address::ipv6(a.octets(), port, a.scope());
    return address::ipv4({a.octets()[0], a.octets()[1], a.octets()[2], a.octets()[3]}, port);
}

/// The address that a connection to `to` comes from, but for its port.
inline address source_for(const address& to) noexcept {
    if (to.family() == address_family::ipv6)
        return address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0);
    return address::loopback();
}

}
