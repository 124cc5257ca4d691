// world.hpp - what a simulation consists of, shared by its backend and those who hold a sim_control.
#pragma once

#include "../network/network.hpp"
#include "engine.hpp"

namespace corun::sim {

/// The engine and its facilities. Another one is a folder beside network/, and a member here.
struct world : engine {
    submitted submit(operation&);

    network net{*this};
};

}
