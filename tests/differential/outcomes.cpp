// outcomes.cpp - `seed 7`, then each outcome with a bar before every line and `or` between two.
#include "outcomes.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace differential {

void write_outcomes(std::ostream& to, std::uint64_t seed, const outcome_set& all) {
    to << "seed " << seed << "\n";
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i > 0)
            to << "or\n";
        std::istringstream lines(all[i]);
        for (std::string line; std::getline(lines, line);)
            to << "|" << line << "\n";
    }
}

std::map<std::uint64_t, outcome_set> read_outcomes(const std::string& path) {
    std::ifstream from(path);
    if (!from)
        throw std::runtime_error("can't read " + path);
    std::map<std::uint64_t, outcome_set> all;
    outcome_set* now = nullptr;
    for (std::string line; std::getline(from, line);) {
        if (!line.empty() && line.back() == '\r')
            line.pop_back();
        if (line.starts_with("seed ")) {
            now = &all[std::stoull(line.substr(5))];
            now->emplace_back();
        } else if (now && line == "or") {
            now->emplace_back();
        } else if (now && line.starts_with("|")) {
            now->back() += line.substr(1) + "\n";
        } else {
            throw std::runtime_error(path + " holds a line that is no outcome's: " + line);
        }
    }
    return all;
}

}
