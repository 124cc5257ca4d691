// links.hpp - what is under way between sockets: delays, stalls, partitions.
#pragma once

#include "socket.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace corun::sim {

class links {
public:
    explicit links(engine& e) noexcept : engine_(e) {}

    /// Forgets everything: another run begins.
    void begin();

    /// Sends something on its way to a socket, if that is still open, over a link of this port; without a delay it arrives here.
    void transmit(piece, handle to, std::uint16_t port, std::vector<std::byte> data = {});

    /// When the next piece arrives; no_deadline if none is under way.
    time_point next_arrival() const noexcept { return events_.empty() ? no_deadline : events_.begin()->first.first; }
    void deliver_next();

    /// The next piece to this socket arrives now, if one is under way.
    void hasten(handle to);

    bool is_cut(std::uint16_t port) const noexcept { return all_cut_ || cut_.contains(port); }
    void partition() { all_cut_ = true; }
    void partition(std::uint16_t port) { cut_.insert(port); }
    void heal();
    void heal(std::uint16_t port);

private:
    struct event {
        piece what;
        handle to;
        std::uint16_t port;
        std::vector<std::byte> data;
    };
    using moment = std::pair<time_point, std::uint64_t>;

    socket* find(handle) noexcept;
    void deliver(const event&);
    void release_held(bool (*wanted)(const event&, std::uint16_t), std::uint16_t port);

    engine& engine_;
    std::map<moment, event> events_;
    std::uint64_t next_number_ = 0;
    std::vector<event> held_;   // by a partition, in order
    bool all_cut_ = false;
    std::set<std::uint16_t> cut_;
};

}
