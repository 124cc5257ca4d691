// address_test.cpp - addresses as text and back, and as the system wants them.
#include <common/sockaddr.hpp>
#include <corun/address.hpp>
#include <support/catch.hpp>

#include <string>
#include <vector>

using corun::address;
using corun::address_family;

namespace {

/// What parsing and printing makes of a text; "wrong" if it is none.
std::string reprinted(std::string_view text) {
    const auto parsed = address::parse(text);
    return parsed ? parsed->to_string() : "wrong";
}

}

TEST_CASE("an IPv4 address is four decimal numbers and a port") {
    const auto a = address::parse("192.168.0.255:65535");
    REQUIRE(a);
    CHECK(a->family() == address_family::ipv4);
    CHECK(a->port() == 65535);
    CHECK(a->octets() == std::array<std::uint8_t, 16>{192, 168, 0, 255});
    CHECK(*a == address::ipv4({192, 168, 0, 255}, 65535));
    CHECK(reprinted("0.0.0.0:0") == "0.0.0.0:0");
    CHECK(reprinted("127.0.0.1:80") == address::loopback(80).to_string());
}

TEST_CASE("what is no address is an error, not a guess") {
    const std::string wrong =
        GENERATE("", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80 ",
                 " 127.0.0.1:80", "127.1:80", "1.2.3:80", "1.2.3.4.5:80", "256.0.0.1:80", "1..2.3:80", "01.2.3.4:80", "1.2.3.00:80",
                 "0x7f.0.0.1:80", "localhost:80", "1.2.3.4:+80", "1.2.3.4:000080", "::1:80", "[::1]", "[::1]80", "[::1:80", "[]:80",
                 "[:]:80", "[:::]:80", "[1::2::3]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[1:2:3:4:5:6:7:8::]:80",
                 "[12345::]:80", "[g::]:80", "[1:]:80", "[:1]:80", "[::1%]:80", "[::1%x]:80", "[::1%4294967296]:80", "[1.2.3.4]:80",
                 "[1.2.3.4::]:80", "[::1.2.3]:80", "[::1.2.3.4:5]:80", "[1:2:3:4:5:6:7:1.2.3.4]:80", "[::-1]:80", "[::0x1]:80");
    INFO(wrong);
    const auto parsed = address::parse(wrong);
    CHECK_FALSE(parsed);
    CHECK(parsed.error() == std::errc::invalid_argument);
}

TEST_CASE("IPv6 is printed as RFC 5952 says") {
    struct row {
        std::string read, printed;
    };
    const row r =
        GENERATE(row{"[::]:0", "[::]:0"}, row{"[::1]:80", "[::1]:80"}, row{"[1::]:80", "[1::]:80"},
                 row{"[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80"},            // small letters, longest run
                 row{"[2001:db8:0:1:1:1:1:1]:80", "[2001:db8:0:1:1:1:1:1]:80"},   // one group is not shortened
                 row{"[2001:0:0:1:0:0:0:1]:80", "[2001:0:0:1::1]:80"},            // the longer run
                 row{"[2001:db8:0:0:1:0:0:1]:80", "[2001:db8::1:0:0:1]:80"},      // the first of two
                 row{"[1:2:3:4:5:6:0:0]:80", "[1:2:3:4:5:6::]:80"}, row{"[0001:002:03:4::]:80", "[1:2:3:4::]:80"},
                 row{"[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]:80"}, row{"[::ffff:102:304]:80", "[::ffff:1.2.3.4]:80"},
                 row{"[64:ff9b::1.2.3.4]:80", "[64:ff9b::102:304]:80"}, row{"[1:2:3:4:5:6:1.2.3.4]:80", "[1:2:3:4:5:6:102:304]:80"},
                 row{"[fe80::1%2]:80", "[fe80::1%2]:80"}, row{"[fe80::1%4294967295]:1", "[fe80::1%4294967295]:1"},
                 row{"[::1%0]:80", "[::1]:80"}, row{"[1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7:8]:80"},
                 row{"[0:1:0:1:0:1:0:1]:80", "[0:1:0:1:0:1:0:1]:80"}, row{"[1::2:3:4:5:6:7]:80", "[1:0:2:3:4:5:6:7]:80"});
    INFO(r.read);
    CHECK(reprinted(r.read) == r.printed);
    CHECK(reprinted(r.printed) == r.printed);
}

TEST_CASE("printing agrees with the system's own for every pattern of zero groups") {
    for (unsigned pattern = 0; pattern < 256; ++pattern) {
        std::array<std::uint8_t, 16> octets{};
        for (std::size_t i = 0; i < 8; ++i)
            if (pattern & (1u << i))
                octets[2 * i + 1] = static_cast<std::uint8_t>(0xa0 + i);
        if (pattern == 0xc0 || pattern == 0x80 || pattern == 0x40)
            continue;   // ::a6:a7 and the like: the C library prints the long dead IPv4-compatible form
        char expected[INET6_ADDRSTRLEN];
        REQUIRE(::inet_ntop(AF_INET6, octets.data(), expected, sizeof expected));
        const address a = address::ipv6(octets, 7);
        CHECK(a.to_string() == '[' + std::string(expected) + "]:7");
        CHECK(reprinted(a.to_string()) == a.to_string());
    }
}

TEST_CASE("no address prints as none") { CHECK(address().to_string() == "(none)"); }

TEST_CASE("an address survives the way to the system and back, its scope included") {
    const address a = GENERATE(address::ipv4({1, 2, 3, 4}, 0x1234), address::loopback(), address::any(65535),
                               address::ipv6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 443, 3), address::ipv6({}, 1));
    CHECK(corun::common::native_address(a).portable() == a);
}

TEST_CASE("the native form is in network order") {
    const corun::common::native_address n(address::ipv4({1, 2, 3, 4}, 0x1234));
    CHECK(n.size == sizeof(sockaddr_in));
    CHECK(n.v4.sin_family == AF_INET);
    CHECK(ntohs(n.v4.sin_port) == 0x1234);
    CHECK(ntohl(n.v4.sin_addr.s_addr) == 0x01020304);
}

TEST_CASE("no address and a strange family are none") {
    CHECK(corun::common::native_address(address()).size == 0);
    corun::common::native_address n;
    n.any.sa_family = AF_UNIX;
    CHECK(n.portable() == address());
    n.any.sa_family = AF_INET6;
    n.size = sizeof(sockaddr_in);   // too short for what it says
    CHECK(n.portable() == address());
}
