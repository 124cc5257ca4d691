// error: corun: a callback can't be a coroutine: its task would never run; call corun::spawn() in it
#include <corun/corun.hpp>

void f() {
    corun::run_options().on_leftovers([](const std::vector<corun::task_ref>&) -> corun::task<> { co_return; });
}
