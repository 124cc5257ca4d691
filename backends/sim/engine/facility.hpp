// facility.hpp - a part of the simulated system, the network for one.
#pragma once

#include <corun/clock.hpp>

#include <vector>

namespace corun::sim {

/// Its objects stand in the engine's table of handles; what it has beside them is events that come when their time does.
class facility {
public:
    /// Is one of these from now on: engine::facilities.
    explicit facility(std::vector<facility*>& all) { all.push_back(this); }
    facility(const facility&) = delete;
    facility& operator=(const facility&) = delete;

    /// Forgets everything: another run begins.
    virtual void begin() = 0;

    /// When the next event comes; no_deadline if none is to come.
    virtual time_point next_event() const noexcept = 0;

    /// Lets the next event happen.
    virtual void deliver_next() = 0;

protected:
    ~facility() = default;
};

}
