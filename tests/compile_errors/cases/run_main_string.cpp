// error: corun: run_main() takes a coroutine that returns corun::task<> or corun::task<int>: its value is the exit code
#include <corun/corun.hpp>

#include <string>

using namespace corun;
using namespace std::chrono_literals;

task<std::string> text() { co_return "text"; }
int main() { return run_main(text); }
