// swarm.hpp - what sim_options::swarm() draws.
#pragma once

#include "choices.hpp"

#include <corun/sim.hpp>

namespace corun::sim {

/// What connections are like, and the rates of faults. What is added is drawn last, or every run becomes another one.
void draw_swarm(settings&, choices&);

}
