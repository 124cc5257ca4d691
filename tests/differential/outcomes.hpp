// outcomes.hpp - the file of outcomes: for each seed those that are right, as text.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace differential {

/// In the order in which they were found, each once.
using outcome_set = std::vector<std::string>;

void write_outcomes(std::ostream& to, std::uint64_t seed, const outcome_set& all);

/// Throws std::runtime_error that says what is wrong with the file.
std::map<std::uint64_t, outcome_set> read_outcomes(const std::string& path);

}
