// world.cpp - the beginning of a simulation, and the hold on one.
#include "world.hpp"

namespace corun {
namespace sim {

void world::begin(const sim_options& asked) {
    options = asked;
    chance = choices();
    chance.begin(asked.seed());
    if (sim_access::is_replay(asked))
        chance.replay(sim_access::replay(asked));
    hash = 0xcbf29ce484222325;
    now = {};
    net.begin();
    if (sim_access::is_swarm(asked))
        draw_swarm();
}

void world::draw_swarm() {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    const auto wanted = [this] { return chance.below(2) == 1; };
    sim_link& link = sim_access::link(options);
    if (wanted()) {
        const auto least = microseconds(chance.below(2000));
        link.delay(least, least + microseconds(chance.below(20'000)));
    }
    if (wanted())
        link.bandwidth(1000 + chance.below(1'000'000));
    if (wanted())
        link.chunks(1 + chance.below(2000));
    if (wanted())
        link.buffer(1 + chance.below(20'000));
    if (wanted()) {
        // One draw a statement: the order of arguments is the compiler's.
        const std::uint32_t one_in = 20 + chance.below(200);
        link.stalls(one_in, milliseconds(1 + chance.below(3000)));
    }
    if (wanted())
        link.resets(200 + chance.below(2000));
    if (wanted())
        link.backlog(chance.below(4));
    if (wanted())
        options.spurious_wakes(2 + chance.below(30));
    if (wanted())
        options.memory_failures(200 + chance.below(2000));
    if (wanted())
        options.descriptors(8 + chance.below(100));
}

}

sim_control::sim_control() : world_(std::make_shared<sim::world>()) {}

void sim_control::partition() { world_->net.partition(); }
void sim_control::partition(std::uint16_t port) { world_->net.partition(port); }
void sim_control::heal() { world_->net.heal(); }
void sim_control::heal(std::uint16_t port) { world_->net.heal(port); }
std::uint32_t sim_control::choose(std::uint32_t n) { return world_->chance.below(n); }
std::uint64_t sim_control::hash() const noexcept { return world_->hash; }
const std::vector<std::uint32_t>& sim_control::choices() const noexcept { return world_->chance.made(); }

}
