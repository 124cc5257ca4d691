// network.cpp - see network.hpp. Without a delay a piece arrives as it is sent; an operation that can't go on waits in its endpoint.
#include "world.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace corun::sim {
namespace {

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

}

void network::begin() {
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i)
        ++endpoints_[i].generation;
    endpoints_.clear();
    free_.clear();
    finished.clear();
    events_.clear();
    held_.clear();
    cut_.clear();
    all_cut_ = false;
    open_ = 0;
    last_port_ = 49151;
    next_number_ = 0;
}

handle network::new_endpoint() {
    if (free_.empty()) {
        free_.reserve(endpoints_.size() + 1);
        endpoints_.emplace_back();
        free_.push_back(static_cast<std::uint32_t>(endpoints_.size() - 1));
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    ++open_;
    endpoint& e = endpoints_[index];
    e.is = endpoint::role::fresh;
    return {index, e.generation};
}

endpoint* network::find(handle h) noexcept {
    if (h.index >= endpoints_.size())
        return nullptr;
    endpoint& e = endpoints_[h.index];
    return e.is != endpoint::role::closed && e.generation == h.generation ? &e : nullptr;
}

handle network::handle_of(const endpoint& e) const noexcept {
    const auto place = std::find_if(endpoints_.begin(), endpoints_.end(), [&e](const endpoint& x) { return &x == &e; });
    return {static_cast<std::uint32_t>(place - endpoints_.begin()), e.generation};
}

bool network::is_full() const noexcept { return open_ >= sim_access::descriptors(world_.options); }

const sim_link& network::link_of(const endpoint& e) const noexcept { return sim_access::link(world_.options, e.port); }

result<handle> network::open(socket_type type) {
    if (is_full())
        return error(std::errc::too_many_files_open);
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
    if (world_.chance.one_in(sim_access::memory_failure(world_.options))) {
        answer(o, std::errc::no_buffer_space);
        return submitted::finished;
    }
    if (attempt(*e, o.target, o)) {
        world_.note(static_cast<std::uint64_t>(o.kind) << 32 | o.target.index);
        world_.note(static_cast<std::uint64_t>(o.error) << 32 ^ (o.kind == operation_kind::accept ? o.accepted.index : o.count));
        return submitted::finished;
    }
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

/// How much of `most` bytes moves at once.
std::size_t network::piece_size(const endpoint& e, std::size_t most) {
    const std::uint32_t chunk = sim_access::chunk(link_of(e));
    // The whole chunk is choice 0.
    return chunk == 0 || most <= 1 ? most : std::min<std::size_t>(most, chunk - world_.chance.below(chunk));
}

/// True if the connection breaks now: both sides find it reset.
bool network::breaks(endpoint& e) {
    if (!world_.chance.one_in(sim_access::reset(link_of(e))))
        return false;
    e.was_reset = e.reset_told = true;
    e.arrived.clear();
    transmit(piece::reset, e.peer, e, {});
    return true;
}

/// For the operation that found its connection broken; the other one of that side finds it too.
bool network::answer_broken(operation& o) {
    answer(o, std::errc::connection_reset);
    retry(o.target);
    return true;
}

bool network::receive(endpoint& e, operation& o) {
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
    if (breaks(e))
        return answer_broken(o);
    std::size_t left = piece_size(e, std::min(size_of(o), e.arrived.size()));
    const std::size_t count = left;
    for (std::uint32_t i = 0; i < o.slice_count && left > 0; ++i) {
        const std::size_t part = std::min(o.slices[i].size, left);
        const auto end = e.arrived.begin() + static_cast<std::ptrdiff_t>(part);
        std::copy(e.arrived.begin(), end, static_cast<std::byte*>(o.slices[i].data));
        e.arrived.erase(e.arrived.begin(), end);
        left -= part;
    }
    o.finish(0, count);
    retry(e.peer);   // there is room now
    return true;
}

std::size_t network::room_at(endpoint& receiver) noexcept {
    const int asked = option_of(receiver, socket_option::receive_buffer);
    const std::size_t capacity = asked > 0 ? static_cast<std::size_t>(asked) : sim_access::buffer(link_of(receiver));
    const std::size_t used = receiver.arrived.size() + receiver.under_way;
    return used < capacity ? capacity - used : 0;
}

bool network::can_send(const endpoint& e) noexcept {
    endpoint* const peer = find(e.peer);
    return e.was_reset || e.sends_no_more || !peer || room_at(*peer) > 0;
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
    const std::size_t room = room_at(*peer);
    if (room == 0)
        return false;
    if (breaks(e))
        return answer_broken(o);
    std::size_t count = piece_size(e, std::min(size_of(o), room));
    const std::size_t last = sim_access::close_at(link_of(e));
    if (last > 0)
        count = std::min(count, last - e.sent);
    std::vector<std::byte> data;
    data.reserve(count);
    for (std::uint32_t i = 0; i < o.slice_count && data.size() < count; ++i) {
        const auto* const from = static_cast<const std::byte*>(o.slices[i].data);
        data.insert(data.end(), from, from + std::min(o.slices[i].size, count - data.size()));
    }
    e.sent += count;
    peer->under_way += count;
    o.finish(0, count);
    transmit(piece::bytes, e.peer, e, std::move(data));
    if (last > 0 && e.sent == last) {
        e.was_reset = true;
        transmit(piece::end, e.peer, e, {});
        retry(o.target);   // a read that waits
    }
    return true;
}

/// Sends something on its way; without a delay it arrives here.
void network::transmit(piece what, handle to, const endpoint& over, std::vector<std::byte> data) {
    endpoint* const receiver = find(to);
    if (!receiver)
        return;
    event e{what, to, over.port, std::move(data)};
    if (is_cut(over.port)) {
        held_.push_back(std::move(e));
        return;
    }
    const sim_link& link = link_of(over);
    duration d = sim_access::least_delay(link);
    const duration spread = sim_access::most_delay(link) - d;
    if (spread > duration::zero())
        d += std::chrono::microseconds(
            world_.chance.below(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(spread).count() + 1)));
    if (sim_access::bandwidth(link) > 0)
        d += duration(static_cast<std::int64_t>(e.data.size() * 1'000'000'000 / sim_access::bandwidth(link)));
    if (world_.chance.one_in(sim_access::stall(link)))
        d += sim_access::longest_stall(link);
    const time_point when = std::max(saturating_add(world_.now, d), receiver->last_arrival);
    receiver->last_arrival = when;
    // Not at once if something is still to arrive: it would be overtaken.
    ++receiver->pieces;
    if (when <= world_.now && receiver->pieces == 1)
        deliver(e);
    else
        events_.emplace(moment(when, ++next_number_), std::move(e));
}

void network::deliver(event& e) {
    endpoint* const to = find(e.to);
    if (!to)
        return;
    --to->pieces;
    world_.note(static_cast<std::uint64_t>(e.what) << 32 | e.to.index);
    world_.note(e.data.size());
    switch (e.what) {
    case piece::bytes:
        to->under_way -= e.data.size();
        if (!to->was_reset)
            to->arrived.insert(to->arrived.end(), e.data.begin(), e.data.end());
        break;
    case piece::end: to->ended = true; break;
    case piece::reset: to->was_reset = true; break;
    case piece::knock: to->knocked = endpoint::knock::at_the_door; break;
    }
    retry(e.to);
}

time_point network::next_arrival() const noexcept { return events_.empty() ? no_deadline : events_.begin()->first.first; }

void network::arrive() {
    while (next_arrival() <= world_.now && !events_.empty()) {
        auto first = events_.extract(events_.begin());
        deliver(first.mapped());
    }
}

bool network::is_cut(std::uint16_t port) const noexcept { return all_cut_ || cut_.contains(port); }

void network::partition() { all_cut_ = true; }
void network::partition(std::uint16_t port) { cut_.insert(port); }

void network::heal() {
    all_cut_ = false;
    cut_.clear();
    release_held([](const event&, std::uint16_t) { return true; }, 0);
}

void network::heal(std::uint16_t port) {
    cut_.erase(port);
    if (!all_cut_)
        release_held([](const event& e, std::uint16_t healed) { return e.port == healed; }, port);
}

void network::release_held(bool (*wanted)(const event&, std::uint16_t), std::uint16_t port) {
    std::vector<event> held = std::exchange(held_, {});
    for (event& e : held) {
        if (!wanted(e, port)) {
            held_.push_back(std::move(e));
        } else if (endpoint* const to = find(e.to)) {
            const time_point when = std::max(saturating_add(world_.now, sim_access::least_delay(link_of(*to))), to->last_arrival);
            to->last_arrival = when;
            ++to->pieces;
            events_.emplace(moment(when, ++next_number_), std::move(e));
        }
    }
}

bool network::take_connection(endpoint& e, operation& o) {
    if (e.is != endpoint::role::listener)
        return answer(o, std::errc::invalid_argument);
    // As the kernel does: before it looks whether somebody is there.
    if (open_ - e.backlog.size() >= sim_access::descriptors(world_.options))
        return answer(o, std::errc::too_many_files_open);
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
    if (e.knocked == endpoint::knock::under_way)
        return false;
    if (e.knocked == endpoint::knock::none) {
        e.port = to.port();
        e.remote = to;
        const duration there = sim_access::most_delay(link_of(e));
        if (there > duration::zero() || is_cut(e.port)) {
            e.knocked = endpoint::knock::under_way;
            transmit(piece::knock, at, e, {});
            if (e.knocked == endpoint::knock::under_way)
                return false;
        }
    }
    endpoint* const listener = listener_at(to);
    if (!listener) {
        e.knocked = endpoint::knock::none;
        return answer(o, std::errc::connection_refused);
    }
    if (e.local.port() == 0)
        e.local = with_port(source_for(to), free_port(source_for(to)));
    if (!join(e, at, *listener)) {
        if (std::find(listener->knocking.begin(), listener->knocking.end(), &o) == listener->knocking.end())
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
    server.port = client.port = listener.local.port();
    server.peer = at_client;
    client.peer = at_server;
    listener.backlog.push_back(at_server);
    retry(handle_of(listener));
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

bool network::shut_down(endpoint& e, operation& o) {
    if (e.is != endpoint::role::stream || e.was_reset)
        return answer(o, std::errc::not_connected);
    if (!std::exchange(e.sends_no_more, true))
        transmit(piece::end, e.peer, e, {});
    o.finish(0);
    return true;
}

/// What waits at an endpoint looks again.
void network::retry(handle h) {
    endpoint* const e = find(h);
    if (!e)
        return;
    for (const bool reading : {true, false}) {
        operation* const o = reading ? e->reader : e->writer;
        if (o && o->state == operation_state::pending && attempt(*e, h, *o))
            leave(*e, *o);
    }
}

void network::leave(endpoint& e, operation& o) {
    if (e.reader == &o)
        e.reader = nullptr;
    if (e.writer == &o)
        e.writer = nullptr;
    world_.note(static_cast<std::uint64_t>(o.kind) << 32 | o.target.index);
    world_.note(static_cast<std::uint64_t>(o.error) << 32 ^ (o.kind == operation_kind::accept ? o.accepted.index : o.count));
    finished.push_back(&o);
}

void network::cancel(operation& o) {
    endpoint* const e = find(o.target);
    if (!e)
        return;
    if (o.kind == operation_kind::read && e->under_way > 0 && sim_access::shuffles_completions(world_.options) &&
        world_.chance.below(2) == 1) {
        // What is under way may as well have been there first.
        const auto next = std::find_if(events_.begin(), events_.end(), [&o](const auto& one) { return one.second.to == o.target; });
        if (next != events_.end()) {
            auto early = events_.extract(next);
            deliver(early.mapped());
            if (o.state == operation_state::finished)
                return;
        }
    }
    if (o.kind == operation_kind::connect)
        for (endpoint& listener : endpoints_)
            std::erase(listener.knocking, &o);
    answer(o, std::errc::operation_canceled);
    leave(*e, o);
}

std::error_code network::close(handle h) {
    endpoint* const e = find(h);
    if (!e)
        return error(std::errc::bad_file_descriptor);
    if (e->reader)
        cancel(*e->reader);
    if (e->writer)
        cancel(*e->writer);
    const bool resets = !e->arrived.empty() || option_of(*e, socket_option::linger_zero) != 0;
    const handle peer = e->peer;
    endpoint over;   // what is sent at the end goes the way of the connection
    over.port = e->port;
    const std::deque<handle> backlog = std::move(e->backlog);
    const std::deque<operation*> knocking = std::move(e->knocking);
    const std::uint32_t generation = e->generation + 1;
    *e = endpoint();
    e->generation = generation;
    free_.push_back(h.index);   // room was made when the record was
    --open_;

    if (resets)
        transmit(piece::reset, peer, over, {});
    else   // also where the end has been told: the peer may wait for room, which nobody will make any more
        transmit(piece::end, peer, over, {});
    for (const handle waiting : backlog) {
        if (endpoint* const one = find(waiting))
            option_of(*one, socket_option::linger_zero) = 1;
        (void)close(waiting);
    }
    for (const operation* const o : knocking)
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
        r.value = is_size && option_of(e, r.option) == 0 ? static_cast<int>(sim_access::buffer(link_of(e))) : option_of(e, r.option);
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
