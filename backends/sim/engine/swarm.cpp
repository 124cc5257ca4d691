// swarm.cpp - see swarm.hpp. One draw a statement: the order of arguments is the compiler's.
#include "swarm.hpp"

#include <chrono>

namespace corun::sim {

void draw_swarm(settings& options, choices& chance) {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    const auto wanted = [&chance] { return chance.below(2) == 1; };
    link_settings& link = options.link;
    if (wanted()) {
        link.least_delay = microseconds(chance.below(2000));
        link.most_delay = link.least_delay + microseconds(chance.below(20'000));
    }
    if (wanted())
        link.bandwidth = 1000 + chance.below(1'000'000);
    if (wanted())
        link.chunk = 1 + chance.below(2000);
    if (wanted())
        link.buffer = 1 + chance.below(20'000);
    if (wanted()) {
        link.stall = 20 + chance.below(200);
        link.longest_stall = milliseconds(1 + chance.below(3000));
    }
    if (wanted())
        link.reset = 200 + chance.below(2000);
    if (wanted())
        link.backlog = chance.below(4);
    if (wanted())
        options.spurious = 2 + chance.below(30);
    if (wanted())
        options.memory_failure = 200 + chance.below(2000);
    if (wanted())
        options.descriptors = 8 + chance.below(100);
}

}
