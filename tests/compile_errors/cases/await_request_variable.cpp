// error: corun: what is awaited once is awaited as an rvalue: co_await std::move(x)
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> wrong() {
    auto call = to_thread([] {});
    co_await call;
}
