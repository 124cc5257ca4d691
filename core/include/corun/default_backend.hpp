// default_backend.hpp - the backend that run() makes unless it is given one.
#pragma once

#include <memory>

namespace corun {

class backend;

/// The backend that was linked as the default; defined by the build's choice, throws std::system_error if the system refuses.
std::unique_ptr<backend> make_default_backend();

}
