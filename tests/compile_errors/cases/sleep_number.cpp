// error: corun: sleep_for() takes a duration: sleep_for(5s), with std::chrono_literals
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() { co_await sleep_for(5); }
