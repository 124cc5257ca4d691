// error: a task does nothing until it is awaited or spawned
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> work() { co_return; }
task<> wrong() {
    work();
    co_return;
}
