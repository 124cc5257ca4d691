// engine.hpp - what every facility of a simulation stands on: the clock, the choices, the hash, the handles.
#pragma once

#include "choices.hpp"
#include "facility.hpp"
#include "handles.hpp"

#include <corun/sim.hpp>

#include <cstdint>
#include <vector>

namespace corun::sim {

struct engine {
    engine() = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Begins anew.
    void begin(const settings& asked);

    /// Takes something that happened into the hash.
    void note(std::uint64_t what) noexcept {
        for (int i = 0; i < 8; ++i, what >>= 8)
            hash = (hash ^ (what & 0xff)) * 0x100000001b3;
    }

    /// The same, of an operation that was answered.
    void note(const operation&) noexcept;

    /// When the next event of any facility comes; no_deadline if none is to come.
    time_point next_event() const noexcept;

    /// Lets everything happen whose time has come, in its order.
    void deliver_due();

    settings options;
    choices chance;
    std::uint64_t hash = 0xcbf29ce484222325;
    time_point now{};
    handles names{*this};
    std::vector<facility*> facilities;   // each puts itself here

private:
    facility* next_facility() const noexcept;   // null if there is no event
};

}
