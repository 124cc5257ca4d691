// error: corun: a task is awaited once: co_await std::move(task)
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<int> five() { co_return 5; }
task<> wrong() {
    auto t = five();
    co_await t;
}
