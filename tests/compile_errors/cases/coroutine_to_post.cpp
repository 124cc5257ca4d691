// error: corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it
#include <corun/corun.hpp>

using namespace corun;
using namespace std::chrono_literals;

task<> work() { co_return; }
void wrong(loop& here) {
    (void)here;
    here.post(work);
}
