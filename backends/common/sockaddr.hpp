// sockaddr.hpp - an address as the system wants it, and back.
#pragma once

#include "socket_types.hpp"

#include <corun/address.hpp>

namespace corun::common {

/// Room for the native form of every address; `size` is how much of it counts.
struct native_address {
    native_address() noexcept = default;

    /// The native form; a `size` of 0 if there is no address.
    explicit native_address(const address&) noexcept;

    /// The portable form; none if the family is unknown.
    address portable() const noexcept;

    sockaddr* data() noexcept { return &any; }
    const sockaddr* data() const noexcept { return &any; }

    union {
        sockaddr any;
        sockaddr_in v4;
        sockaddr_in6 v6{};
    };
    socklen_t size = sizeof(sockaddr_in6);
};

}
