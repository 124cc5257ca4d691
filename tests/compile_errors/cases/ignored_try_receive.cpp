// error: the item that it takes is in it
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(receiver<int>& r) { r.try_receive(); }
