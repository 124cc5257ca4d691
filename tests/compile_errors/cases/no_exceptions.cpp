// error: corun needs exceptions
// options: -fno-exceptions
#include <corun/run.hpp>
