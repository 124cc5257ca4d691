// error from Clang: dropped at once, it is released at once: keep it in a variable
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(semaphore& s) { co_await s.acquire(); }
