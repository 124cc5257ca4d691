// error: nothing happens until it is awaited
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

void wrong(tcp_stream& s, bytes buffer) { s.read(buffer); }
