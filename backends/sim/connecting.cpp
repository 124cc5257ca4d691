// connecting.cpp - how two sockets find each other.
#include "answers.hpp"
#include "loopback.hpp"
#include "world.hpp"

#include <algorithm>

namespace corun::sim {

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

endpoint* network::listener_at(const address& to) noexcept {
    for (endpoint& e : endpoints_)
        if (e.is == endpoint::role::listener && e.local.port() == to.port() && e.local.family() == to.family() &&
            (e.local.octets() == to.octets() || is_any(e.local)))
            return &e;
    return nullptr;
}

}
