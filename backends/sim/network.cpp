// network.cpp - see network.hpp. What arrives is there at once; an operation that can't go on waits in its endpoint.
#include "network.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace corun::sim {
namespace {

constexpr std::size_t default_buffer = 64 * 1024;
constexpr std::size_t largest_backlog = 4096;

int code(std::errc e) noexcept { return static_cast<int>(e); }

std::error_code error(std::errc e) noexcept { return {code(e), std::system_category()}; }

bool answer(operation& o, std::errc e) noexcept {
    o.finish(code(e));
    return true;
}

bool reads(const operation& o) noexcept {
    return o.kind == operation_kind::read || o.kind == operation_kind::accept ||
           (o.kind == operation_kind::poll && (o.value & ready::readable));
}

bool writes(const operation& o) noexcept {
    return o.kind == operation_kind::write || o.kind == operation_kind::connect || o.kind == operation_kind::shutdown ||
           (o.kind == operation_kind::poll && (o.value & ready::writable));
}

std::size_t size_of(const operation& o) noexcept {
    std::size_t all = 0;
    for (std::uint32_t i = 0; i < o.slice_count; ++i)
        all += o.slices[i].size;
    return all;
}

bool is_any(const address& a) noexcept {
    return std::all_of(a.octets().begin(), a.octets().end(), [](std::uint8_t octet) { return octet == 0; });
}

bool is_loopback(const address& a) noexcept {
    if (a.family() == address_family::ipv4)
        return a.octets()[0] == 127;
    return a.octets() == std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

address with_port(const address& a, std::uint16_t port) noexcept {
    if (a.family() == address_family::ipv6)
        return address::ipv6(a.octets(), port, a.scope());
    return address::ipv4({a.octets()[0], a.octets()[1], a.octets()[2], a.octets()[3]}, port);
}

/// The address that a connection to `to` comes from, but for its port.
address source_for(const address& to) noexcept {
    if (to.family() == address_family::ipv6)
        return address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0);
    return address::loopback();
}

int& option_of(endpoint& e, socket_option o) noexcept { return e.options[static_cast<std::size_t>(o)]; }

std::size_t capacity_of(endpoint& e) noexcept { return static_cast<std::size_t>(option_of(e, socket_option::receive_buffer)); }

}

network::network() = default;

handle network::new_endpoint() {
    if (free_.empty()) {
        free_.reserve(endpoints_.size() + 1);
        endpoints_.emplace_back();
        free_.push_back(static_cast<std::uint32_t>(endpoints_.size() - 1));
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    endpoint& e = endpoints_[index];
    e.is = endpoint::role::fresh;
    option_of(e, socket_option::receive_buffer) = option_of(e, socket_option::send_buffer) = default_buffer;
    return {index, e.generation};
}

endpoint* network::find(handle h) noexcept {
    if (h.index >= endpoints_.size())
        return nullptr;
    endpoint& e = endpoints_[h.index];
    return e.is != endpoint::role::closed && e.generation == h.generation ? &e : nullptr;
}

handle network::open(socket_type type) {
    const handle h = new_endpoint();
    endpoint& e = *find(h);
    e.local = type == socket_type::tcp_v6 ? address::ipv6({}, 0) : address::any();
    return h;
}

submitted network::submit(operation& o) {
    endpoint* const e = find(o.target);
    if (!e) {
        answer(o, std::errc::bad_file_descriptor);
        return submitted::finished;
    }
    if ((reads(o) && e->reader) || (writes(o) && e->writer)) {
        answer(o, std::errc::device_or_resource_busy);
        return submitted::finished;
    }
    if (attempt(*e, o.target, o))
        return submitted::finished;
    o.state = operation_state::pending;
    if (reads(o))
        e->reader = &o;
    if (writes(o))
        e->writer = &o;
    return submitted::pending;
}

bool network::attempt(endpoint& e, handle at, operation& o) {
    switch (o.kind) {
    case operation_kind::read: return receive(e, o);
    case operation_kind::write: return send(e, o);
    case operation_kind::accept: return take_connection(e, o);
    case operation_kind::connect: return connect(e, at, o);
    case operation_kind::poll: return answer_poll(e, o);
    case operation_kind::shutdown: return shut_down(e, o);
    }
    return answer(o, std::errc::operation_not_supported);
}

bool network::receive(endpoint& e, operation& o) noexcept {
    if (e.is != endpoint::role::stream)
        return answer(o, std::errc::not_connected);
    if (e.arrived.empty()) {
        if (e.was_reset) {
            e.reset_told = true;
            return answer(o, std::errc::connection_reset);
        }
        if (e.ended)
            o.finish(0, 0);
        return e.ended;
    }
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < o.slice_count && !e.arrived.empty(); ++i) {
        const auto part = static_cast<std::ptrdiff_t>(std::min(o.slices[i].size, e.arrived.size()));
        std::copy_n(e.arrived.begin(), part, static_cast<std::byte*>(o.slices[i].data));
        e.arrived.erase(e.arrived.begin(), e.arrived.begin() + part);
        count += static_cast<std::size_t>(part);
    }
    o.finish(0, count);
    retry(e.peer);   // there is room now
    return true;
}

bool network::can_send(const endpoint& e) noexcept {
    endpoint* const peer = find(e.peer);
    return e.was_reset || e.sends_no_more || !peer || peer->arrived.size() < capacity_of(*peer);
}

bool network::send(endpoint& e, operation& o) {
    if (e.was_reset)
        return answer(o, std::exchange(e.reset_told, true) ? std::errc::broken_pipe : std::errc::connection_reset);
    if (e.is != endpoint::role::stream || e.sends_no_more)
        return answer(o, std::errc::broken_pipe);
    endpoint* const peer = find(e.peer);
    if (!peer) {   // goes to nobody: the answer is a reset, and this write does not know it yet
        e.was_reset = true;
        o.finish(0, size_of(o));
        return true;
    }
    if (!can_send(e))
        return false;
    std::size_t room = capacity_of(*peer) - peer->arrived.size();
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < o.slice_count && room > 0; ++i) {
        const std::size_t part = std::min(o.slices[i].size, room);
        const auto* const data = static_cast<const std::byte*>(o.slices[i].data);
        peer->arrived.insert(peer->arrived.end(), data, data + part);
        count += part;
        room -= part;
    }
    o.finish(0, count);
    retry(e.peer);
    return true;
}

bool network::take_connection(endpoint& e, operation& o) noexcept {
    if (e.is != endpoint::role::listener)
        return answer(o, std::errc::invalid_argument);
    if (e.backlog.empty())
        return false;
    const handle taken = e.backlog.front();
    e.backlog.pop_front();
    o.finish(0);
    o.accepted = taken;
    if (auto* const where = static_cast<address*>(o.argument))
        *where = find(taken)->remote;
    if (!e.knocking.empty()) {
        operation& waiting = *e.knocking.front();
        e.knocking.pop_front();
        retry(waiting.target);
    }
    return true;
}

bool network::connect(endpoint& e, handle at, operation& o) {
    if (e.is == endpoint::role::stream)
        return answer(o, std::errc::already_connected);
    if (e.is != endpoint::role::fresh)
        return answer(o, std::errc::invalid_argument);
    const address& to = *static_cast<const address*>(o.argument);
    endpoint* const listener = listener_at(to);
    if (!listener)
        return answer(o, std::errc::connection_refused);
    if (e.local.port() == 0)
        e.local = with_port(source_for(to), free_port(source_for(to)));
    e.remote = to;
    if (!join(e, at, *listener)) {
        listener->knocking.push_back(&o);
        return false;
    }
    o.finish(0);
    return true;
}

/// Connects the two; false if the listener's backlog is full.
bool network::join(endpoint& client, handle at_client, endpoint& listener) {
    if (listener.backlog.size() >= listener.most_waiting)
        return false;
    const handle at_server = new_endpoint();   // a deque: the references stay
    endpoint& server = *find(at_server);
    server.is = client.is = endpoint::role::stream;
    server.local = client.remote;
    server.remote = client.local;
    server.peer = at_client;
    client.peer = at_server;
    listener.backlog.push_back(at_server);
    retry({static_cast<std::uint32_t>(std::find_if(endpoints_.begin(), endpoints_.end(), [&](endpoint& x) { return &x == &listener; }) -
                                      endpoints_.begin()),
           listener.generation});
    return true;
}

bool network::answer_poll(endpoint& e, operation& o) noexcept {
    int found = 0;
    if ((o.value & ready::readable) &&
        (e.is == endpoint::role::listener ? !e.backlog.empty() : !e.arrived.empty() || e.ended || e.was_reset))
        found |= ready::readable;
    if ((o.value & ready::writable) && can_send(e))
        found |= ready::writable;
    if (found == 0)
        return false;
    o.finish(0);
    o.value = found;
    return true;
}

bool network::shut_down(endpoint& e, operation& o) noexcept {
    if (e.is != endpoint::role::stream || e.was_reset)
        return answer(o, std::errc::not_connected);
    e.sends_no_more = true;
    if (endpoint* const peer = find(e.peer)) {
        peer->ended = true;
        retry(e.peer);
    }
    o.finish(0);
    return true;
}

/// What waits at an endpoint looks again.
void network::retry(handle h) noexcept {
    endpoint* const e = find(h);
    if (!e)
        return;
    for (operation* const o : {e->reader, e->writer})
        if (o && o->state == operation_state::pending && attempt(*e, h, *o))
            leave(*e, *o);
}

void network::leave(endpoint& e, operation& o) noexcept {
    if (e.reader == &o)
        e.reader = nullptr;
    if (e.writer == &o)
        e.writer = nullptr;
    finished.push_back(o);
}

void network::cancel(operation& o) noexcept {
    endpoint* const e = find(o.target);
    if (!e)
        return;
    if (o.kind == operation_kind::connect)
        for (endpoint& listener : endpoints_)
            std::erase(listener.knocking, &o);
    answer(o, std::errc::operation_canceled);
    leave(*e, o);
}

std::error_code network::close(handle h) noexcept {
    endpoint* const e = find(h);
    if (!e)
        return error(std::errc::bad_file_descriptor);
    if (e->reader)
        cancel(*e->reader);
    if (e->writer)
        cancel(*e->writer);
    const bool resets = !e->arrived.empty() || option_of(*e, socket_option::linger_zero) != 0;
    const handle peer = e->peer;
    const std::deque<handle> backlog = std::move(e->backlog);
    const std::deque<operation*> knocking = std::move(e->knocking);
    const std::uint32_t generation = e->generation + 1;
    *e = endpoint();
    e->generation = generation;
    free_.push_back(h.index);   // room was made when the record was

    if (endpoint* const other = find(peer)) {
        (resets ? other->was_reset : other->ended) = true;
        retry(peer);
    }
    for (const handle waiting : backlog) {
        if (endpoint* const one = find(waiting))
            option_of(*one, socket_option::linger_zero) = 1;
        (void)close(waiting);
    }
    for (operation* const o : knocking)
        retry(o->target);
    return {};
}

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
        e->most_waiting = r.value > 0 ? std::min(static_cast<std::size_t>(r.value), largest_backlog) : largest_backlog;
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
        r.value = option_of(e, r.option);
    else if (is_size && r.value <= 0)
        return error(std::errc::invalid_argument);
    else
        option_of(e, r.option) = r.value;
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

endpoint* network::listener_at(const address& to) noexcept {
    for (endpoint& e : endpoints_)
        if (e.is == endpoint::role::listener && e.local.port() == to.port() && e.local.family() == to.family() &&
            (e.local.octets() == to.octets() || is_any(e.local)))
            return &e;
    return nullptr;
}

std::uint16_t network::free_port(address where) noexcept {
    do {
        last_port_ = last_port_ == 65535 ? std::uint16_t(49152) : static_cast<std::uint16_t>(last_port_ + 1);
    } while (is_taken(with_port(where, last_port_)));
    return last_port_;
}

}
