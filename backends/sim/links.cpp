// links.cpp - what is under way: delays, stalls, partitions. Without a delay a piece arrives as it is sent.
#include "world.hpp"

#include <algorithm>
#include <utility>

namespace corun::sim {

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

}
