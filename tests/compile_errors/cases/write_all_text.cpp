// error: write_all(stream, as_bytes(text))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(tcp_stream& s, const std::string& text) { co_await write_all(s, text); }
