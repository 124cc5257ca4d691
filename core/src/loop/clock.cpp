// clock.cpp - lengths of time that are none. The clock itself is the loop's: loop_core.cpp.
#include <corun/clock.hpp>
#include <corun/errors.hpp>

namespace corun::detail {

void throw_not_a_duration() { throw_usage(errc::invalid_argument, "corun: a delay is not a number (NaN); give a length of time"); }

}
