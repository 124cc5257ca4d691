// differential.cpp - runs random programs on the backend that was linked: each comes to an outcome that the simulation allows.
#include "arguments.hpp"
#include "generator.hpp"
#include "interpreter.hpp"
#include "outcomes.hpp"
#include "statistics.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

using namespace differential;

namespace {

/// Long, for the machine may be busy; a program that hangs is still ended, and tells its tasks.
constexpr auto bound = std::chrono::seconds(20);

/// After so many differences the others are no news.
constexpr int most_differing = 10;

std::string outcome_of(const program& p) {
    manner how;
    how.bound = bound;
    return run_program(p, corun::run_options(), how);
}

/// Tells the difference and how to see it again; false if there is one.
bool is_allowed(const program& p, const std::string& outcome, const outcome_set& allowed, const std::string& again) {
    if (std::find(allowed.begin(), allowed.end(), outcome) != allowed.end())
        return true;
    std::cout << "\n" << to_string(p) << "came to what the simulation does not allow:\n" << outcome;
    for (std::size_t i = 0; i < allowed.size(); ++i)
        std::cout << "allowed, " << i + 1 << " of " << allowed.size() << ":\n" << allowed[i];
    std::cout << "again: " << again << " --seeds " << p.seed << std::endl;
    return false;
}

}

int main(int argc, char* argv[]) {
    std::string seeds = "1-500";
    std::string allowed_path;
    std::string outcomes_path;
    std::uint64_t printed = 0;
    bool counts = false;
    CLI::App app("Runs random programs and compares what they come to with what the simulation allows (differential_allowed).");
    app.add_option("--seeds", seeds, "the programs: 1-500, or one")->capture_default_str();
    app.add_option("--allowed", allowed_path, "the file of allowed outcomes");
    app.add_option("--outcomes", outcomes_path, "writes what the programs came to");
    app.add_option("--print", printed, "prints one program and what it comes to, and nothing else");
    app.add_flag("--statistics", counts, "prints how often what happened");
    CLI11_PARSE(app, argc, argv);
    try {
        if (printed > 0) {
            const program p = generate(printed);
            std::cout << to_string(p) << outcome_of(p);
            return 0;
        }
        const seed_interval interval = parse_seeds(seeds);
        std::map<std::uint64_t, outcome_set> allowed;
        std::string again = argv[0];
        if (!allowed_path.empty()) {
            allowed = read_outcomes(allowed_path);
            again += " --allowed " + allowed_path;
        }
        std::ofstream outcomes(outcomes_path);
        statistics figures;
        int differing = 0;
        int count = 0;
        for (std::uint64_t seed = interval.first; seed <= interval.last && differing < most_differing; ++seed, ++count) {
            const program p = generate(seed);
            const std::string outcome = outcome_of(p);
            if (!allowed_path.empty() && !is_allowed(p, outcome, allowed[seed], again))
                differing += outcome.find("fault: it hangs") == std::string::npos ? 1 : most_differing / 2;   // which takes its time
            write_outcomes(outcomes, seed, {outcome});
            figures.count({outcome});
        }
        if (counts)
            std::cout << figures.to_string();
        std::cout << count << " programs, " << differing << " of them differ\n";
        return differing == 0 ? 0 : 1;
    } catch (const CLI::Error& e) {
        return app.exit(e);
    } catch (const std::exception& e) {
        std::cerr << "differential: " << e.what() << "\n";
        return 2;
    }
}
