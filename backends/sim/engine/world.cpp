// world.cpp - see world.hpp; and the hold on one.
#include "world.hpp"

#include "kinds.hpp"

namespace corun {
namespace sim {

submitted world::submit(operation& o) {
    if (row_of(o.kind).target == kind_target::handle)
        return names.submit(o);
    if (const auto answer_at_once = ways_of(o).answer)
        answer_at_once(*this, o);
    else
        answer(o, std::errc::operation_not_supported);
    note(o);
    return submitted::finished;
}

}

sim_control::sim_control() : world_(std::make_shared<sim::world>()) {}

void sim_control::partition() { world_->net.wires.partition(); }
void sim_control::partition(std::uint16_t port) { world_->net.wires.partition(port); }
void sim_control::heal() { world_->net.wires.heal(); }
void sim_control::heal(std::uint16_t port) { world_->net.wires.heal(port); }
std::uint32_t sim_control::choose(std::uint32_t n) { return world_->chance.below(n); }
std::uint64_t sim_control::hash() const noexcept { return world_->hash; }
const std::vector<std::uint32_t>& sim_control::choices() const noexcept { return world_->chance.made(); }

}
