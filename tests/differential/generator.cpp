// generator.cpp - how often what happens.
#include "generator.hpp"

#include "script.hpp"

namespace differential {
namespace {

struct choice {
    int weight;
    script::move write;
};

constexpr choice choices[] = {
    {20, &script::send_some},
    {12, &script::receive_some},
    {4, &script::receive_exactly},
    {4, &script::send_much},
    {2, &script::send_much_both_ways},
    {2, &script::send_into_reset},
    {5, &script::half_close},
    {5, &script::receive_the_end},
    {5, &script::misuse_after_half_close},
    {3, &script::close},
    {4, &script::use_after_close},
    {6, &script::send_to_nobody},
    {3, &script::connect_to_nobody},
    {5, &script::wait_in_vain},
    {3, &script::wait_in_vain_shielded},
    {6, &script::cancel_a_read},
    {9, &script::cancel_races_with_data},
    {3, &script::timeout_races_with_data},
    {2, &script::read_twice_at_once},
    {3, &script::close_under_a_read},
    {2, &script::close_races_with_a_read},
    {4, &script::reset},
    {5, &script::group_that_fails},
    {4, &script::group_that_succeeds},
    {1, &script::group_whose_children_fail},
    {2, &script::cut_a_send_by_a_group},
    {2, &script::cancel_a_send},
    {3, &script::clean_up_after_a_cancel},
};

script::move choose(random& draw) {
    int all = 0;
    for (const choice& c : choices)
        all += c.weight;
    int left = draw.below(all);
    for (const choice& c : choices) {
        left -= c.weight;
        if (left < 0)
            return c.write;
    }
    return choices[0].write;
}

}

program generate(std::uint64_t seed) {
    script s(seed);
    int wanted = s.draw.between(4, 12);
    for (int tries = 0; wanted > 0 && tries < 60; ++tries) {
        const script::move write = choose(s.draw);
        if ((s.*write)())
            --wanted;
    }
    s.finish();
    return std::move(s.made);
}

}
