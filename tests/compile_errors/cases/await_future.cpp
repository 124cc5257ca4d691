// error: corun: a std::future is awaited by co_await corun::in_thread(std::move(future))
#include <corun/corun.hpp>

#include <future>

using namespace corun;
using namespace std::chrono_literals;

task<int> wrong(std::future<int> f) { co_return co_await f; }
