// error: corun::run() takes a corun::task, or a callable that returns one and its arguments
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

int main() {
    return run_main([] { return 5; });
}
