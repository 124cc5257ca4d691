// network.cpp - see network.hpp.
#include "network.hpp"

#include "unconnected.hpp"

#include <memory>

namespace corun::sim {

void network::begin() {
    wires.begin();
    bound.begin();
}

result<handle> network::open(socket_type type) {
    if (engine_.names.open_count() >= engine_.options.descriptors)
        return error(std::errc::too_many_files_open);
    const address none = type == socket_type::tcp_v6 ? address::ipv6({}, 0) : address::any();
    return engine_.names.add(std::make_unique<unconnected>(engine_, *this, none));
}

}
