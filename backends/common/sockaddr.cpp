// sockaddr.cpp - octets and ports in the system's order.
#include "sockaddr.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace corun::common {

native_address::native_address(const address& from) noexcept {
    const auto& octets = from.octets();
    switch (from.family()) {
    case address_family::ipv4:
        v4 = {};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(from.port());
        std::memcpy(&v4.sin_addr, octets.data(), 4);
        size = sizeof v4;
        break;
    case address_family::ipv6:
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(from.port());
        v6.sin6_scope_id = from.scope();
        std::memcpy(&v6.sin6_addr, octets.data(), 16);
        size = sizeof v6;
        break;
    case address_family::none: size = 0; break;
    }
}

address native_address::portable() const noexcept {
    if (static_cast<std::size_t>(size) >= sizeof v4 && any.sa_family == AF_INET) {
        std::array<std::uint8_t, 4> octets;
        std::memcpy(octets.data(), &v4.sin_addr, 4);
        return address::ipv4(octets, ntohs(v4.sin_port));
    }
    if (static_cast<std::size_t>(size) >= sizeof v6 && any.sa_family == AF_INET6) {
        std::array<std::uint8_t, 16> octets;
        std::memcpy(octets.data(), &v6.sin6_addr, 16);
        return address::ipv6(octets, ntohs(v6.sin6_port), v6.sin6_scope_id);
    }
    return {};
}

}
