// error from Clang: dropped at once, it unlocks at once: keep it in a variable
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(mutex& m) { co_await m.lock(); }
