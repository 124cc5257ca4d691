// arguments.hpp - what the programs of the differential test have in common on their command lines.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace differential {

/// "1-500", or a single one.
struct seed_interval {
    std::uint64_t first = 1;
    std::uint64_t last = 500;
};

inline seed_interval parse_seeds(const std::string& text) {
    try {
        seed_interval seeds;
        const std::size_t dash = text.find('-');
        seeds.first = std::stoull(text.substr(0, dash));
        seeds.last = dash == std::string::npos ? seeds.first : std::stoull(text.substr(dash + 1));
        if (seeds.first <= seeds.last)
            return seeds;
    } catch (const std::logic_error&) {
    }
    throw CLI::ValidationError("--seeds", "\"" + text + "\" is no interval of seeds; 1-500 is one");
}

}
