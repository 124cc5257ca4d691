// spawn.cpp - a task becomes known to its loop.
#include <corun/spawn.hpp>

namespace corun::detail {

void throw_closed() { throw_usage(errc::closed_loop, "this corun loop has been closed; no task can be started on it any more"); }

void copy_locals(task_state& to) {
    if (local_slot values = copy_local_values())
        to.make_extras().locals = std::move(values);
}

}
