// interpreter.hpp - runs a program on a backend and says what came of it.
#pragma once

#include "program.hpp"

#include <corun/clock.hpp>
#include <corun/run_options.hpp>

#include <functional>
#include <string>

namespace differential {

/// How a program is run.
struct manner {
    corun::duration bound = corun::duration::zero();   // a run that takes longer hangs; zero: no bound
    std::function<corun::duration()> pause;            // before each statement of an actor; none: go on at once
};

/// What each actor and each of its tasks went through, in its own order, and what is left: text, a line for each event. A line that begins
/// with "fault" tells of something that no run may do.
std::string run_program(const program& p, corun::run_options options, const manner& how = {});

}
