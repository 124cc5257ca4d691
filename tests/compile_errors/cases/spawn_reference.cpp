// error: give what the function takes by reference as std::ref(x)
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> counts(int& n) {
    ++n;
    co_return;
}
task<> wrong() {
    int n = 0;
    co_await spawn(counts, n);
}
