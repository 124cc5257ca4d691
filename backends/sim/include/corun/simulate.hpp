// simulate.hpp - one program under many seeds; a failure comes with its seed and the fewest choices that still make it fail.
#pragma once

#include <corun/run.hpp>
#include <corun/sim.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace corun {

/// A program failed in a simulation. what() tells the seed, the failure, and the shrunk choices as a line of C++.
class simulation_failure : public std::runtime_error {
public:
    simulation_failure(std::uint64_t seed, std::vector<std::uint32_t> choices, std::string failure, const std::string& text)
        : std::runtime_error(text), seed_(seed), choices_(std::move(choices)), failure_(std::move(failure)) {}

    std::uint64_t seed() const noexcept { return seed_; }

    /// For sim_options::replay(): fails in the same way.
    const std::vector<std::uint32_t>& choices() const noexcept { return choices_; }

    /// What left the program, in words.
    const std::string& failure() const noexcept { return failure_; }

private:
    std::uint64_t seed_;
    std::vector<std::uint32_t> choices_;
    std::string failure_;
};

/// Seeds `first` to `first + count - 1`.
struct seed_range {
    seed_range(std::uint64_t first_seed, std::uint64_t how_many) noexcept : first(first_seed), count(how_many) {}

    std::uint64_t first;
    std::uint64_t count;
};

namespace detail {

/// Runs a simulation once; throws what fails.
using simulated_run = std::function<void(const sim_options&, sim_control&)>;

/// A number made of the hashes of all runs.
std::uint64_t run_seeds(const seed_range& seeds, const sim_options& base, const simulated_run& once);

}

/// Runs `program`, a callable that takes a sim_control& and returns a task, once for each seed, each time on a new simulation with
/// these options. Throws simulation_failure for the first seed whose run ends with an exception (deadlock included), after it has looked
/// for fewer choices that fail with the same first line (of a group: of each exception inside). Gives a number made of all hashes: equal
/// with every compiler.
template <class F>
std::uint64_t simulate(const seed_range& seeds, const sim_options& options, F program) {
    return detail::run_seeds(seeds, options, [&program](const sim_options& o, sim_control& control) {
        run(run_options().handle_interrupts(false).with(make_sim(o, control)), program, std::ref(control));
    });
}

/// The same with faults drawn from the seed, and tasks and completions in a drawn order.
template <class F>
std::uint64_t simulate(const seed_range& seeds, F program) {
    return simulate(seeds, sim_options().swarm().shuffle_ready().shuffle_completions(), std::move(program));
}

}
