// network.hpp - TCP in memory: the facility whose objects are sockets.
#pragma once

#include "../engine/facility.hpp"
#include "links.hpp"
#include "ports.hpp"

#include <corun/backend.hpp>

namespace corun::sim {

class network final : public facility {
public:
    explicit network(engine& e) : facility(e.facilities), wires(e) {}

    void begin() override;
    time_point next_event() const noexcept override { return wires.next_arrival(); }
    void deliver_next() override { wires.deliver_next(); }

    links wires;
    ports bound;
};

}
