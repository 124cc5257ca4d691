// error: corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it
#include <corun/corun.hpp>

void f(corun::guest& g) {
    g.start([]() -> corun::task<> { co_return; }, [](corun::outcome<void>) -> corun::task<> { co_return; });
}
