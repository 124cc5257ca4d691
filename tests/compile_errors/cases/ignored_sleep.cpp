// error: nothing happens until it is awaited
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() {
    sleep_for(1s);
    co_return;
}
