// kqueue.hpp - the kqueue backend, by hand.
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// A backend on kqueue, of macOS and the BSDs; throws std::system_error when the system refuses a descriptor.
std::unique_ptr<backend> make_kqueue();

}
