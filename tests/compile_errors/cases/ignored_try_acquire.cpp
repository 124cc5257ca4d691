// error: true: release() is owed
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(semaphore& s) { s.try_acquire(); }
