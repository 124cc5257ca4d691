// network.cpp - see network.hpp.
#include "network.hpp"

namespace corun::sim {

void network::begin() {
    wires.begin();
    bound.begin();
}

}
