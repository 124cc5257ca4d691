// shrink_test.cpp - what the search for the fewest choices leaves out, and when it stops.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <corun/simulate.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

using namespace corun;

namespace {

/// The choices that are left of the first failure; none if nothing fails.
template <class Program>
std::optional<std::vector<std::uint32_t>> shrunk(const seed_range& seeds, Program program) {
    try {
        simulate(seeds, sim_options(), program);
    } catch (const simulation_failure& f) {
        return f.choices();
    }
    return std::nullopt;
}

}

TEST_CASE("choices at the end that matter no more once others before them are 0 are left out") {
    std::vector<std::uint32_t> first;
    const auto program = [&first](sim_control& control) -> task<> {
        std::vector<std::uint32_t> made;
        for (int i = 0; i < 3; ++i)
            made.push_back(control.choose(1000));
        if (first.empty())
            first = made;
        if (made[1] > 0 && (made[0] == 0 || made[2] > 0))
            throw std::runtime_error("the second one");
        co_return;
    };
    const auto left = shrunk(seed_range(0, 1), program);
    REQUIRE(std::count(first.begin(), first.end(), 0u) == 0);
    CHECK(left == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a failure that needs each of a thousand choices is run 500 times in search of fewer, and no more") {
    int runs = 0;
    const auto program = [&runs](sim_control& control) -> task<> {
        ++runs;
        bool has_zero = false;
        for (int i = 0; i < 1000; ++i)
            has_zero = control.choose(1'000'000'000) == 0 || has_zero;
        if (!has_zero)
            throw std::runtime_error("all");
        co_return;
    };
    const auto left = shrunk(seed_range(0, 1), program);
    REQUIRE(left.has_value());
    CHECK(left->size() == 1000);
    CHECK(runs == 1 + 500);
}
