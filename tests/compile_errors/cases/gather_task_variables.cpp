// error: corun: a task has one owner: gather(std::move(task))
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<int> five() { co_return 5; }
task<> wrong() {
    auto a = five();
    auto b = five();
    (void)co_await gather(a, b);
}
