// address.hpp - where a socket is: an IPv4 or IPv6 address with a port.
#pragma once

#include <corun/result.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace corun {

/// The kind of an address.
enum class address_family : std::uint8_t { none, ipv4, ipv6 };

/// An IP address and a port; a value type. Made by parse() or by the named functions.
class address {
public:
    /// No address.
    address() noexcept = default;

    /// An IPv4 address; `octets` in network order, `port` in host order.
    static address ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port) noexcept;

    /// An IPv6 address; `octets` in network order, `port` in host order, `scope` the interface's number (0: none).
    static address ipv6(std::array<std::uint8_t, 16> octets, std::uint16_t port, std::uint32_t scope = 0) noexcept;

    /// 127.0.0.1 with this port; 0 lets the system choose one at bind.
    static address loopback(std::uint16_t port = 0) noexcept { return ipv4({127, 0, 0, 1}, port); }

    /// 0.0.0.0 with this port: every IPv4 interface.
    static address any(std::uint16_t port = 0) noexcept { return ipv4({0, 0, 0, 0}, port); }

    /// Reads "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80"; anything else answers std::errc::invalid_argument. No name look-up.
    static result<address> parse(std::string_view text);

    address_family family() const noexcept { return family_; }
    std::uint16_t port() const noexcept { return port_; }
    std::uint32_t scope() const noexcept { return scope_; }

    /// The 4 or 16 octets in network order; the rest is zero.
    const std::array<std::uint8_t, 16>& octets() const noexcept { return octets_; }

    /// The form that parse() reads; "(none)" if there is no address.
    std::string to_string() const;

    bool operator==(const address&) const noexcept = default;

private:
    address_family family_ = address_family::none;
    std::uint16_t port_ = 0;
    std::uint32_t scope_ = 0;
    std::array<std::uint8_t, 16> octets_{};
};

}
