// error from Clang: it may hold an error: look at it
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(tcp_stream& s, bytes buffer) { co_await as_result(s.read(buffer)); }
