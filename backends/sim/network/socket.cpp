// socket.cpp - see socket.hpp.
#include "socket.hpp"

#include "loopback.hpp"

namespace corun::sim {

bool socket::poll(operation& o) {
    std::uint8_t found = 0;
    if ((o.wanted & ready::readable) && is_readable())
        found |= ready::readable;
    if ((o.wanted & ready::writable) && is_writable())
        found |= ready::writable;
    if (found == 0)
        return false;
    o.finish(0);
    o.found = found;
    return true;
}

std::error_code socket::control(control_request& r) {
    const bool is_size = r.option == socket_option::receive_buffer || r.option == socket_option::send_buffer;
    switch (r.kind) {
    case control_kind::bind:
    case control_kind::listen: return error(std::errc::invalid_argument);
    case control_kind::local_address: *r.where = local; return {};
    case control_kind::remote_address: return error(std::errc::not_connected);
    case control_kind::set_option: option(r.option) = r.value; return {};
    case control_kind::get_option: r.value = is_size && !has(r.option) ? static_cast<int>(link().buffer) : option(r.option); return {};
    case control_kind::native:
    case control_kind::release: break;
    }
    return error(std::errc::operation_not_supported);
}

bool socket::is_dual() const noexcept { return local.family() == address_family::ipv6 && is_any(local) && !has(socket_option::v6_only); }

}
