// error: corun: tasks have one owner: gather(std::move(tasks))
#include <corun/corun.hpp>

#include <vector>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong(std::vector<task<int>> tasks) { (void)co_await gather(tasks); }
