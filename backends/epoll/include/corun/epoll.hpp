// epoll.hpp - the epoll backend, by hand.
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// A backend on Linux's epoll; throws std::system_error when the system refuses a descriptor.
std::unique_ptr<backend> make_epoll();

}
