// error: corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it
#include <corun/corun.hpp>

void f() {
    corun::run_options().on_exception([](const corun::exception_report&) -> corun::task<> { co_return; });
}
