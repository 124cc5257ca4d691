// error: corun needs C++20: give the compiler -std=c++20 or later
// options: -std=c++17
#include <corun/task.hpp>
