// links.cpp - see links.hpp.
#include "links.hpp"

#include <algorithm>
#include <utility>

namespace corun::sim {

void links::begin() {
    events_.clear();
    next_number_ = 0;
    held_.clear();
    all_cut_ = false;
    cut_.clear();
}

socket* links::find(handle h) noexcept { return static_cast<socket*>(engine_.names.find(h)); }   // only sockets are sent to

void links::transmit(piece what, handle to, std::uint16_t port, std::vector<std::byte> data) {
    socket* const receiver = find(to);
    if (!receiver)
        return;
    event e{what, to, port, std::move(data)};
    if (is_cut(port)) {
        held_.push_back(std::move(e));
        return;
    }
    const link_settings& link = engine_.options.link_of(port);
    duration d = link.least_delay;
    const duration spread = link.most_delay - d;
    if (spread > duration::zero())
        d += std::chrono::microseconds(
            engine_.chance.below(static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(spread).count() + 1)));
    if (link.bandwidth > 0)
        d += duration(static_cast<std::int64_t>(e.data.size() * 1'000'000'000 / link.bandwidth));
    if (engine_.chance.one_in(link.stall))
        d += link.longest_stall;
    const time_point when = std::max(saturating_add(engine_.now, d), receiver->last_arrival);
    receiver->last_arrival = when;
    // Not at once if something is still to arrive: it would be overtaken.
    ++receiver->pieces;
    if (when <= engine_.now && receiver->pieces == 1)
        deliver(e);
    else
        events_.emplace(moment(when, ++next_number_), std::move(e));
}

void links::deliver(const event& e) {
    socket* const to = find(e.to);
    if (!to)
        return;
    --to->pieces;
    engine_.note(static_cast<std::uint64_t>(e.what) << 32 | e.to.index);
    engine_.note(e.data.size());
    to->arrive(e.what, e.data);
    engine_.names.retry(e.to);
}

void links::deliver_next() {
    const auto first = events_.extract(events_.begin());
    deliver(first.mapped());
}

void links::hasten(handle to) {
    const auto next = std::find_if(events_.begin(), events_.end(), [to](const auto& one) { return one.second.to == to; });
    if (next != events_.end()) {
        const auto early = events_.extract(next);
        deliver(early.mapped());
    }
}

void links::heal() {
    all_cut_ = false;
    cut_.clear();
    release_held([](const event&, std::uint16_t) { return true; }, 0);
}

void links::heal(std::uint16_t port) {
    cut_.erase(port);
    if (!all_cut_)
        release_held([](const event& e, std::uint16_t healed) { return e.port == healed; }, port);
}

void links::release_held(bool (*wanted)(const event&, std::uint16_t), std::uint16_t port) {
    std::vector<event> held = std::exchange(held_, {});
    for (event& e : held) {
        if (!wanted(e, port)) {
            held_.push_back(std::move(e));
        } else if (socket* const to = find(e.to)) {
            const time_point when = std::max(saturating_add(engine_.now, to->link().least_delay), to->last_arrival);
            to->last_arrival = when;
            ++to->pieces;
            events_.emplace(moment(when, ++next_number_), std::move(e));
        }
    }
}

}
