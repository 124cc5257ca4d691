// address.cpp - addresses as text. IPv4 is strict (four decimal numbers), IPv6 is written as RFC 5952 says.
#include <corun/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace corun {
namespace {

/// Reads a whole number of at most `digits` digits from the front; leaves the text behind it.
template <class T>
std::optional<T> take_number(std::string_view& text, std::size_t digits, int base = 10) noexcept {
    T value = 0;
    const std::size_t most = std::min(text.size(), digits);
    const auto [end, error] = std::from_chars(text.data(), text.data() + most, value, base);
    if (error != std::errc() || end == text.data())
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take(std::string_view& text, std::string_view what) noexcept {
    if (!text.starts_with(what))
        return false;
    text.remove_prefix(what.size());
    return true;
}

/// Four decimal numbers and nothing else. No leading zeros: some systems read them as octal.
bool parse_ipv4(std::string_view text, std::span<std::uint8_t> octets) noexcept {
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0 && !take(text, "."))
            return false;
        if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9')
            return false;
        const auto n = take_number<std::uint8_t>(text, 3);
        if (!n)
            return false;
        octets[i] = *n;
    }
    return text.empty();
}

/// The groups of one side of "::", written to the front of `octets`; how many octets that were, or none if it is wrong.
std::optional<std::size_t> parse_groups(std::string_view text, std::span<std::uint8_t, 16> octets) noexcept {
    std::size_t at = 0;
    while (!text.empty()) {
        if (at > 0 && !take(text, ":"))
            return std::nullopt;
        // The last 32 bits may be an IPv4 address.
        if (at <= 12 && text.find(':') == text.npos && text.find('.') != text.npos) {
            if (!parse_ipv4(text, octets.subspan(at)))
                return std::nullopt;
            return at + 4;
        }
        const auto group = take_number<std::uint16_t>(text, 4, 16);
        if (!group || at == 16)
            return std::nullopt;
        octets[at++] = static_cast<std::uint8_t>(*group >> 8);
        octets[at++] = static_cast<std::uint8_t>(*group & 0xff);
    }
    return at;
}

bool parse_ipv6(std::string_view text, std::array<std::uint8_t, 16>& octets) noexcept {
    const std::size_t gap = text.find("::");
    if (gap == text.npos)
        return parse_groups(text, octets) == 16;
    const std::string_view head = text.substr(0, gap);
    if (head.find('.') != head.npos)   // an IPv4 address stands at the end only
        return false;
    std::array<std::uint8_t, 16> tail{};
    const auto before = parse_groups(head, octets);
    const auto after = parse_groups(text.substr(gap + 2), tail);
    if (!before || !after || *before + *after > 14)   // "::" stands for at least one group
        return false;
    std::copy_n(tail.begin(), *after, octets.end() - static_cast<std::ptrdiff_t>(*after));
    return true;
}

bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
    const auto n = take_number<std::uint16_t>(text, 5);
    port = n.value_or(0);
    return n && text.empty();
}

std::string ipv4_text(const std::uint8_t* octets) {
    return std::to_string(octets[0]) + '.' + std::to_string(octets[1]) + '.' + std::to_string(octets[2]) + '.' + std::to_string(octets[3]);
}

bool is_mapped_ipv4(const std::array<std::uint8_t, 16>& octets) noexcept {
    return std::all_of(octets.begin(), octets.begin() + 10, [](std::uint8_t o) { return o == 0; }) && octets[10] == 0xff &&
           octets[11] == 0xff;
}

std::string ipv6_text(const std::array<std::uint8_t, 16>& octets) {
    if (is_mapped_ipv4(octets))
        return "::ffff:" + ipv4_text(octets.data() + 12);
    std::array<unsigned, 8> groups;
    for (std::size_t i = 0; i < 8; ++i)
        groups[i] = octets[2 * i] * 256u + octets[2 * i + 1];

    // The first of the longest runs of at least two zero groups becomes "::".
    std::size_t gap = 8, gap_size = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        const auto end = std::find_if(groups.begin() + static_cast<std::ptrdiff_t>(i), groups.end(), [](unsigned g) { return g != 0; });
        const auto size = static_cast<std::size_t>(end - groups.begin()) - i;
        if (size > gap_size) {
            gap = i;
            gap_size = size;
        }
    }

    std::string text;
    char digits[4];
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == gap) {
            text += "::";
            i += gap_size - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':')
            text += ':';
        text.append(digits, std::to_chars(digits, digits + 4, groups[i], 16).ptr);
    }
    return text;
}

}

address address::ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port) noexcept {
    address a;
    a.family_ = address_family::ipv4;
    a.port_ = port;
    std::copy(octets.begin(), octets.end(), a.octets_.begin());
    return a;
}

address address::ipv6(std::array<std::uint8_t, 16> octets, std::uint16_t port, std::uint32_t scope) noexcept {
    address a;
    a.family_ = address_family::ipv6;
    a.port_ = port;
    a.scope_ = scope;
    a.octets_ = octets;
    return a;
}

result<address> address::parse(std::string_view text) {
    constexpr auto wrong = std::errc::invalid_argument;
    const std::size_t colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == text.npos || !parse_port(text.substr(colon + 1), port))
        return wrong;
    std::string_view host = text.substr(0, colon);

    if (!host.starts_with('[')) {
        std::array<std::uint8_t, 4> octets{};
        if (!parse_ipv4(host, octets))
            return wrong;
        return ipv4(octets, port);
    }

    if (!host.ends_with(']'))
        return wrong;
    host = host.substr(1, host.size() - 2);
    std::uint32_t scope = 0;
    if (const std::size_t percent = host.find('%'); percent != host.npos) {
        std::string_view number = host.substr(percent + 1);
        const auto n = take_number<std::uint32_t>(number, 10);
        if (!n || !number.empty())
            return wrong;
        scope = *n;
        host = host.substr(0, percent);
    }
    std::array<std::uint8_t, 16> octets{};
    if (!parse_ipv6(host, octets))
        return wrong;
    return ipv6(octets, port, scope);
}

std::string address::to_string() const {
    switch (family_) {
    case address_family::ipv4: return ipv4_text(octets_.data()) + ':' + std::to_string(port_);
    case address_family::ipv6:
        return '[' + ipv6_text(octets_) + (scope_ != 0 ? '%' + std::to_string(scope_) : std::string()) + "]:" + std::to_string(port_);
    case address_family::none: break;
    }
    return "(none)";
}

}
