// drive.hpp - who turns the loop of a run.
#pragma once

#include "run/run_course.hpp"

namespace corun::detail {

/// Turns the loop until the course is over: the whole of run()'s own hosting.
void drive(run_course&) noexcept;

}
