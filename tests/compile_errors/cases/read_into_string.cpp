// error: read(as_writable_bytes(memory))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(tcp_stream& s, std::string& text) { (void)co_await s.read(text); }
