// error: corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it
#include <corun/corun.hpp>

void f(corun::loop& l) {
    l.set_exception_hook([](const corun::exception_report&) -> corun::task<> { co_return; });
}
