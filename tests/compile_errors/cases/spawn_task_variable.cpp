// error: corun: a task has one owner: spawn(std::move(task))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> work() { co_return; }
void wrong() {
    auto t = work();
    spawn(t);
}
