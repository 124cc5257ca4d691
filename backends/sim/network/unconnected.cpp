// unconnected.cpp - how a socket gets its role.
#include "unconnected.hpp"

#include "listener.hpp"
#include "loopback.hpp"
#include "stream.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace corun::sim {

bool unconnected::connect(operation& o) {
    const address& to = *o.to;
    connecting_ = nullptr;
    if (knocked_ == knock::none) {
        port = to.port();
        remote_ = to;
        if (link().most_delay > duration::zero() || net_.wires.is_cut(port)) {
            knocked_ = knock::under_way;
            net_.wires.transmit(piece::knock, name, port);
        }
    }
    if (knocked_ == knock::under_way) {
        connecting_ = &o;
        return false;
    }
    listener* const at = find_listener(to);
    if (!at) {
        knocked_ = knock::none;
        return answer(o, std::errc::connection_refused);
    }
    if (local.port() == 0)
        net_.bound.add(*this, with_port(source_for(to), net_.bound.free_port(*this, source_for(to))));
    if (at->is_full()) {
        at->let_wait(name);
        waits_at_ = at->name;
        connecting_ = &o;
        return false;
    }
    join(*at);   // there is no `this` any more
    o.finish(0);
    return true;
}

/// Of those that take the connection; by lot where several share the port.
listener* unconnected::find_listener(const address& to) {
    const std::vector<listener*> found = net_.bound.listeners_for(to);
    return found.empty() ? nullptr : found[engine_.chance.below(static_cast<std::uint32_t>(found.size()))];
}

/// The handle names a stream from now on, whose other end is in the listener's backlog.
void unconnected::join(listener& at) {
    auto ours = std::make_unique<stream>(*this, net_.wires, at.port, remote_);
    const handle theirs = at.add_connection(name, remote_, local);
    ours->peer = theirs;
    net_.bound.remove(*this);
    handles& names = engine_.names;
    names.replace(name, std::move(ours));
    names.retry(at.name);
}

void unconnected::forget(const operation& o) noexcept {
    if (connecting_ != &o)
        return;
    connecting_ = nullptr;
    if (object* const at = engine_.names.find(waits_at_))
        static_cast<listener*>(at)->let_go(name);   // a listener's handle names nothing else
}

std::error_code unconnected::control(control_request& r) {
    switch (r.kind) {
    case control_kind::bind: return bind(*r.where);
    case control_kind::listen: return listen(r.value);
    default: return socket::control(r);
    }
}

std::error_code unconnected::bind(const address& where) {
    if (local.port() != 0)
        return error(std::errc::invalid_argument);
    if (local.family() != where.family())
        return error(std::errc::address_family_not_supported);
    if (!is_any(where) && !is_loopback(where))
        return error(std::errc::address_not_available);
    if (where.port() != 0 && net_.bound.is_taken(*this, where))
        return error(std::errc::address_in_use);
    net_.bound.add(*this, where.port() != 0 ? where : with_port(where, net_.bound.free_port(*this, where)));
    return {};
}

std::error_code unconnected::listen(int backlog) {
    if (connecting_)
        return error(std::errc::invalid_argument);
    auto listens = std::make_unique<listener>(*this, net_, backlog);
    listens->name = name;
    net_.bound.add(*listens, local);
    engine_.names.replace(name, std::move(listens));   // there is no `this` any more
    return {};
}

result<handle> open_socket(engine& e, network& n, socket_type type) {
    if (e.names.open_count() >= e.options.descriptors)
        return error(std::errc::too_many_files_open);
    const address none = type == socket_type::tcp_v6 ? address::ipv6({}, 0) : address::any();
    return e.names.add(std::make_unique<unconnected>(e, n, none));
}

}
