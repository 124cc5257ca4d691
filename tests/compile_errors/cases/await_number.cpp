// error: corun: this can't be awaited
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() { co_await 5; }
