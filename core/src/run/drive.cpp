// drive.cpp - run() as the host of its own loop. Alone in its file: the tests put other hosts in its place.
#include "run/drive.hpp"

namespace corun::detail {

void drive(run_course& course) noexcept {
    while (!course.advance())
        course.turn();
}

}
