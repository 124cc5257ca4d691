// error: write(as_bytes(text))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(tcp_stream& s) { (void)co_await s.write("hello"); }
