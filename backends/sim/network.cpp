// network.cpp - see network.hpp. An operation that can't go on waits in its endpoint, and looks again when something has changed there.
#include "answers.hpp"
#include "world.hpp"

#include <algorithm>
#include <utility>

namespace corun::sim {
namespace {

bool reads(const operation& o) noexcept {
    return o.kind == operation_kind::read || o.kind == operation_kind::accept ||
           (o.kind == operation_kind::poll && (o.value & ready::readable));
}

bool writes(const operation& o) noexcept {
    return o.kind == operation_kind::write || o.kind == operation_kind::connect || o.kind == operation_kind::shutdown ||
           (o.kind == operation_kind::poll && (o.value & ready::writable));
}

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
        note_answer(o);
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
    note_answer(o);
    finished.push_back(&o);
}

/// For the hash of what happened.
void network::note_answer(const operation& o) noexcept {
    world_.note(static_cast<std::uint64_t>(o.kind) << 32 | o.target.index);
    world_.note(static_cast<std::uint64_t>(o.error) << 32 ^ (o.kind == operation_kind::accept ? o.accepted.index : o.count));
}

void network::cancel(operation& o) {
    endpoint* const e = find(o.target);
    if (!e)
        return;
    const bool comes = (o.kind == operation_kind::read && e->under_way > 0) ||
                       (o.kind == operation_kind::connect && e->knocked == endpoint::knock::under_way);
    if (comes && sim_access::shuffles_completions(world_.options) && world_.chance.below(2) == 1) {
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
    const bool resets = !e->arrived.empty() || e->option(socket_option::linger_zero) != 0;
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
            one->option(socket_option::linger_zero) = 1;
        (void)close(waiting);
    }
    for (const operation* const o : knocking)
        retry(o->target);
    return {};
}

}
