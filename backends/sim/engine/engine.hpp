// engine.hpp - what every facility of a simulation stands on: its course, the clock, the handles.
#pragma once

#include "course.hpp"
#include "facility.hpp"
#include "handles.hpp"

#include <vector>

namespace corun::sim {

struct engine : course {
    /// Begins anew.
    void begin(const settings& asked);

    /// When the next event of any facility comes; no_deadline if none is to come.
    time_point next_event() const noexcept;

    /// Lets everything happen whose time has come, in its order.
    void deliver_due();

    time_point now{};
    handles names{*this};
    std::vector<facility*> facilities;   // each puts itself here

private:
    facility* next_facility() const noexcept;   // null if there is no event
};

}
