// error from Clang: it bounds what its run() runs, and nothing else: give it a name
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() {
    timeout_scope(1s);
    co_await sleep_for(2s);
}
