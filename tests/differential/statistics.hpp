// statistics.hpp - how often what happened: a generator that rarely does what is of interest proves little.
#pragma once

#include "outcomes.hpp"

#include <map>
#include <string>

namespace differential {

class statistics {
public:
    void count(const outcome_set& of_a_seed);

    /// A line for each kind of event: how many there were in all, and in how many programs.
    std::string to_string() const;

private:
    struct figures {
        int events = 0;
        int programs = 0;
    };

    int programs_ = 0;
    std::map<std::size_t, int> sizes_;
    std::map<std::string, figures> kinds_;
};

}
