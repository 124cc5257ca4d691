// sockets.cpp - what sockets are asked beside their operations: addresses, ports, options.
#include "answers.hpp"
#include "loopback.hpp"
#include "world.hpp"

#include <algorithm>

namespace corun::sim {

std::error_code network::control(handle h, control_request& r) {
    endpoint* const e = find(h);
    if (!e)
        return error(std::errc::bad_file_descriptor);
    switch (r.kind) {
    case control_kind::bind: return bind(*e, *r.where);
    case control_kind::listen:
        if (e->is != endpoint::role::fresh)
            return error(std::errc::invalid_argument);
        e->is = endpoint::role::listener;
        e->port = e->local.port();
        e->most_waiting = std::max<std::size_t>(
            1, std::min(r.value > 0 ? static_cast<std::size_t>(r.value) : SIZE_MAX, sim_access::backlog(link_of(*e))));
        return {};
    case control_kind::local_address: *r.where = e->local; return {};
    case control_kind::remote_address:
        if (e->is != endpoint::role::stream)
            return error(std::errc::not_connected);
        *r.where = e->remote;
        return {};
    case control_kind::set_option:
    case control_kind::get_option: return answer_option(*e, r);
    case control_kind::native:
    case control_kind::release: break;
    }
    return error(std::errc::operation_not_supported);
}

std::error_code network::answer_option(endpoint& e, control_request& r) noexcept {
    const bool is_size = r.option == socket_option::receive_buffer || r.option == socket_option::send_buffer;
    if (r.kind == control_kind::get_option)
        r.value = is_size && e.option(r.option) == 0 ? static_cast<int>(sim_access::buffer(link_of(e))) : e.option(r.option);
    else if (is_size && r.value <= 0)
        return error(std::errc::invalid_argument);
    else
        e.option(r.option) = r.value;
    return {};
}

std::error_code network::bind(endpoint& e, const address& where) {
    if (e.is != endpoint::role::fresh || e.local.port() != 0)
        return error(std::errc::invalid_argument);
    if (e.local.family() != where.family())
        return error(std::errc::address_family_not_supported);
    if (!is_any(where) && !is_loopback(where))
        return error(std::errc::address_not_available);
    if (where.port() != 0 && is_taken(where))
        return error(std::errc::address_in_use);
    e.local = where.port() != 0 ? where : with_port(where, free_port(where));
    return {};
}

/// True if a listener or a bound socket has the port, on this address or on all.
bool network::is_taken(const address& where) noexcept {
    return std::any_of(endpoints_.begin(), endpoints_.end(), [&where](const endpoint& e) {
        const bool holds = e.is == endpoint::role::listener || e.is == endpoint::role::fresh;
        return holds && e.local.port() == where.port() && e.local.family() == where.family() &&
               (e.local.octets() == where.octets() || is_any(e.local) || is_any(where));
    });
}

std::uint16_t network::free_port(address where) noexcept {
    do {
        last_port_ = last_port_ == 65535 ? std::uint16_t(49152) : static_cast<std::uint16_t>(last_port_ + 1);
    } while (is_taken(with_port(where, last_port_)));
    return last_port_;
}

}
