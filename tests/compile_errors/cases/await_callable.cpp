// error: corun: a callable is not awaited but called: co_await f()
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<int> five() { co_return 5; }
task<int> wrong() { co_return co_await five; }
