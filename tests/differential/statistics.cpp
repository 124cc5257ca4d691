// statistics.cpp - see statistics.hpp. Of a racy program, what happened in the run that found the first of its outcomes.
#include "statistics.hpp"

#include <regex>
#include <set>
#include <sstream>

namespace differential {

/// "receive until: connection_reset" of "    receive at 3 until 500: connection_reset, 20 in all".
static std::string kind_of(const std::string& line) {
    static const std::regex counts("( at)? [0-9]+|, .* in all| t[0-9]+| after .* of .*");
    return std::regex_replace(line.substr(4), counts, "");
}

void statistics::count(const outcome_set& of_a_seed) {
    ++programs_;
    ++sizes_[of_a_seed.size()];
    std::set<std::string> seen;
    std::istringstream lines(of_a_seed.front());
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("    "))
            continue;
        const std::string kind = kind_of(line);
        ++kinds_[kind].events;
        if (seen.insert(kind).second)
            ++kinds_[kind].programs;
    }
}

std::string statistics::to_string() const {
    std::string text = std::to_string(programs_) + " programs\n";
    for (const auto& [size, count] : sizes_)
        text += "    with " + std::to_string(size) + (size == 1 ? " outcome: " : " outcomes: ") + std::to_string(count) + "\n";
    for (const auto& [kind, found] : kinds_)
        text += "    " + kind + ": " + std::to_string(found.events) + " in " + std::to_string(found.programs) + " programs\n";
    return text;
}

}
