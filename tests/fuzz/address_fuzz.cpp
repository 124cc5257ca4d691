// address_fuzz.cpp - texts and octets as addresses: what is read is what the system reads, and what is written is read back.
#include "input.hpp"

#include <corun/address.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <arpa/inet.h>

using namespace corun;

namespace {

void check_round_trip(const address& a) {
    const std::string text = a.to_string();
    const result<address> again = address::parse(text);
    fuzz::must(again.has_value(), "what is written can be read");
    fuzz::must(*again == a, "what is written is read as the same");
    fuzz::must(again->to_string() == text, "there is one way of writing it");
}

/// The system reads no less strictly, and the same.
void check_against_system(std::string_view text, const address& a) {
    std::string host(text.substr(0, text.rfind(':')));
    const bool is_v6 = host.front() == '[';
    if (is_v6)
        host = host.substr(1, std::min(host.find('%'), host.size() - 1) - 1);
    std::array<std::uint8_t, 16> octets{};
    fuzz::must(::inet_pton(is_v6 ? AF_INET6 : AF_INET, host.c_str(), octets.data()) == 1, "the system reads it, too");
    fuzz::must(octets == a.octets(), "the system reads it as the same");
}

void check_octets(fuzz::input in) {
    std::array<std::uint8_t, 16> octets{};
    for (std::uint8_t& o : octets)
        o = static_cast<std::uint8_t>(in.below(256));
    const auto port = static_cast<std::uint16_t>(in.below(256) * 256 + in.below(256));
    check_round_trip(address::ipv4({octets[0], octets[1], octets[2], octets[3]}, port));
    check_round_trip(address::ipv6(octets, port, in.below(256) * in.below(256) * in.below(256)));
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    if (const result<address> read = address::parse(text)) {
        check_round_trip(*read);
        check_against_system(text, *read);
    }
    check_octets(fuzz::input({data, size}));
    return 0;
}
