// streams.cpp - what moves bytes: reads, writes, readiness, the end of sending.
#include "answers.hpp"
#include "world.hpp"

#include <algorithm>
#include <utility>

namespace corun::sim {
namespace {

std::size_t size_of(const operation& o) noexcept {
    std::size_t all = 0;
    for (std::uint32_t i = 0; i < o.slice_count; ++i)
        all += o.slices[i].size;
    return all;
}

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
    const int asked = receiver.option(socket_option::receive_buffer);
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

}
