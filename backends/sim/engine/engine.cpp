// engine.cpp - see engine.hpp.
#include "engine.hpp"

#include "swarm.hpp"

#include <algorithm>

namespace corun::sim {

void engine::begin(const settings& asked) {
    options = asked;
    chance = choices();
    chance.begin(asked.seed);
    if (asked.replay)
        chance.replay(*asked.replay);
    hash = 0xcbf29ce484222325;
    now = {};
    names.begin();
    for (facility* const one : facilities)
        one->begin();
    if (asked.swarm)
        draw_swarm(options, chance);
}

facility* engine::next_facility() const noexcept {
    const auto first = std::min_element(facilities.begin(), facilities.end(),
                                        [](const facility* a, const facility* b) { return a->next_event() < b->next_event(); });
    return (*first)->next_event() == no_deadline ? nullptr : *first;
}

time_point engine::next_event() const noexcept {
    const facility* const first = next_facility();
    return first ? first->next_event() : no_deadline;
}

void engine::deliver_due() {
    for (facility* next = next_facility(); next && next->next_event() <= now; next = next_facility())
        next->deliver_next();
}

}
