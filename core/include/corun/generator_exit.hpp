// generator_exit.hpp - how a generator is asked to end.
#pragma once

namespace corun {

/// Thrown at the co_yield at which a generator stands when it is closed (GeneratorExit). Not a std::exception; let it pass.
struct generator_exit final {};

}
