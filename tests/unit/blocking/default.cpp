// The default backend of the program that runs the suite with what is ready done by the pool.
#include "blocking_backend.hpp"

std::unique_ptr<corun::backend> corun::make_default_backend() { return std::make_unique<testing::blocking_backend>(); }
