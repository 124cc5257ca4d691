// allowed.cpp - runs random programs in the simulation under many schedules and writes every outcome that came: what a backend may do.
#include "arguments.hpp"
#include "generator.hpp"
#include "interpreter.hpp"
#include "outcomes.hpp"
#include "random.hpp"
#include "statistics.hpp"

#include <corun/sim.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>

using namespace differential;
using std::chrono::microseconds;

namespace {

corun::sim_link draw_link(class random& draw, const program& p) {
    corun::sim_link link;
    if (draw.one_in(2)) {
        const int least = draw.one_of({0, 0, 10, 1000});
        const int more = draw.one_of({0, 100, 2000});
        link.delay(microseconds(least), microseconds(least + more));
    }
    // What is sent and not read must always find room, or a program might stand still: see script::most_unread.
    link.buffer(static_cast<std::size_t>(draw.one_of({16, 64, 64, 4096})) * 1024);
    link.chunks(static_cast<std::uint32_t>(p.is_large ? draw.one_of({0, 0, 9000}) : draw.one_of({0, 0, 5, 100, 1500})));
    if (draw.one_in(4))
        link.stalls(10, microseconds(5000));
    return link;
}

/// The first is the plain one.
std::string run_schedule(const program& p, int number) {
    class random draw(p.seed * 1'000'003 + static_cast<std::uint64_t>(number));
    corun::sim_options options(p.seed * 1000 + static_cast<std::uint64_t>(number));
    manner how;
    if (number > 0) {
        options.link(draw_link(draw, p));
        if (draw.one_in(2))
            options.shuffle_ready();
        if (draw.one_in(2))
            options.shuffle_completions();
        if (draw.one_in(4))
            options.spurious_wakes(5);
        // Some actors are slow: who is first is drawn.
        const int one_in = draw.one_of({0, 2, 2, 5});
        const int longest = draw.one_of({100, 3000, 10'000});
        if (one_in > 0)
            how.pause = [&draw, one_in, longest] {
                return draw.one_in(one_in) ? corun::duration(microseconds(draw.below(longest))) : corun::duration::zero();
            };
    }
    return run_program(p, corun::run_options().with(corun::make_sim(options)), how);
}

/// Every outcome that came. A racy program is run until many runs have brought nothing new.
outcome_set outcomes_of(const program& p) {
    const int certain = p.is_large ? 6 : 12;
    const int enough = !p.is_racy ? certain : p.is_large ? 40 : 60;
    outcome_set all;
    for (int number = 0, last_new = 0; number - last_new < enough; ++number) {
        const std::string outcome = run_schedule(p, number);
        if (std::find(all.begin(), all.end(), outcome) != all.end())
            continue;
        all.push_back(outcome);
        last_new = number;
        if (outcome.find("fault: ") != std::string::npos)
            break;
    }
    return all;
}

/// What is wrong with these outcomes whatever a backend does; empty if nothing is.
std::string defect_of(const program& p, const outcome_set& all) {
    for (const std::string& outcome : all)
        if (outcome.find("fault: ") != std::string::npos)
            return "a fault in the simulation";
    return !p.is_racy && all.size() > 1 ? "more than one outcome of a program that is not racy" : "";
}

}

int main(int argc, char* argv[]) {
    std::string seeds = "1-500";
    std::string outcomes_path;
    bool counts = false;
    CLI::App app("Runs random programs in the simulation and writes the outcomes that a backend may come to.");
    app.add_option("--seeds", seeds, "the programs: 1-500, or one")->capture_default_str();
    app.add_option("--outcomes", outcomes_path, "the file to write");
    app.add_flag("--statistics", counts, "prints how often what happened");
    CLI11_PARSE(app, argc, argv);
    try {
        const seed_interval interval = parse_seeds(seeds);
        std::ofstream outcomes(outcomes_path);
        statistics figures;
        int defects = 0;
        for (std::uint64_t seed = interval.first; seed <= interval.last; ++seed) {
            const program p = generate(seed);
            const outcome_set all = outcomes_of(p);
            write_outcomes(outcomes, seed, all);
            figures.count(all);
            if (const std::string defect = defect_of(p, all); !defect.empty()) {
                std::cout << defect << "\n" << to_string(p);
                write_outcomes(std::cout, seed, all);
                ++defects;
            }
        }
        if (counts)
            std::cout << figures.to_string();
        std::cout << interval.last - interval.first + 1 << " programs, " << defects << " of them with a defect\n";
        return defects == 0 && (outcomes_path.empty() || outcomes.flush()) ? 0 : 1;
    } catch (const CLI::Error& e) {
        return app.exit(e);
    } catch (const std::exception& e) {
        std::cerr << "differential_allowed: " << e.what() << "\n";
        return 2;
    }
}
