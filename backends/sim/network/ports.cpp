// ports.cpp - see ports.hpp.
#include "ports.hpp"

#include "loopback.hpp"

#include <algorithm>

namespace corun::sim {
namespace {

/// How well the listener's address fits; 0: not at all.
int fit_of(const socket& listening, const address& to) noexcept {
    if (listening.local.family() != to.family())
        return listening.is_dual() ? 1 : 0;
    if (listening.local.octets() == to.octets())
        return 3;
    return is_any(listening.local) ? 2 : 0;
}

}

void ports::begin() {
    sockets_.clear();
    last_ = 49151;
}

void ports::add(socket& s, const address& where) {
    sockets_[{where.port(), s.name.index}] = &s;
    s.local = where;
}

void ports::remove(const socket& s) noexcept { sockets_.erase({s.local.port(), s.name.index}); }

bool ports::is_taken(const socket& asking, const address& where) const noexcept {
    const bool would_be_dual = where.family() == address_family::ipv6 && is_any(where) && !asking.has(socket_option::v6_only);
    for (auto i = sockets_.lower_bound({where.port(), 0}); i != sockets_.end() && i->first.first == where.port(); ++i) {
        const socket& other = *i->second;
        if (other.has(socket_option::reuse_port) && asking.has(socket_option::reuse_port))
            continue;
        const bool overlap = other.local.family() != where.family()
                                 ? (other.local.family() == address_family::ipv6 ? other.is_dual() : would_be_dual)
                                 : other.local.octets() == where.octets() || is_any(other.local) || is_any(where);
        if (overlap)
            return true;
    }
    return false;
}

std::uint16_t ports::free_port(const socket& asking, const address& where) noexcept {
    do {
        last_ = last_ == 65535 ? std::uint16_t(49152) : static_cast<std::uint16_t>(last_ + 1);
    } while (is_taken(asking, with_port(where, last_)));
    return last_;
}

std::vector<listener*> ports::listeners_for(const address& to) const {
    std::vector<listener*> found;
    int best = 0;
    for (auto i = sockets_.lower_bound({to.port(), 0}); i != sockets_.end() && i->first.first == to.port(); ++i) {
        listener* const one = i->second->as_listener();
        const int fits = one ? fit_of(*i->second, to) : 0;
        if (fits > best)
            found.clear();
        best = std::max(best, fits);
        if (fits > 0 && fits == best)
            found.push_back(one);
    }
    return found;
}

}
