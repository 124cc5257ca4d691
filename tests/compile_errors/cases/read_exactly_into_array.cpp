// error: read_exactly(stream, as_writable_bytes(memory))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(tcp_stream& s) {
    char head[4];
    co_await read_exactly(s, head);
}
