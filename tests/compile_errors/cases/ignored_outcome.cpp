// error from Clang: an error or a cancellation is in it, if there was one: look at it
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() { co_await settled(sleep_for(1s)); }
