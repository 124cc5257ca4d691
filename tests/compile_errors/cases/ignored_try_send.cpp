// error: false: there was no room, and the item was not sent
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(sender<int>& s) { s.try_send(1); }
