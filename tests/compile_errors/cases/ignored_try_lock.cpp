// error: true: unlock() is owed
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(mutex& m) { m.try_lock(); }
