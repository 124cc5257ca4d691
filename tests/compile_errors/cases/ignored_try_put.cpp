// error: false: there was no room, and the item was not put
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(queue<int>& q) { q.try_put(1); }
