// poll.hpp - the example of docs/writing-a-backend.md: a backend made from poll(2).
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// A backend on poll(2); throws std::system_error when the system refuses a descriptor.
std::unique_ptr<backend> make_poll();

}
