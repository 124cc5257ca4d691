// error: co_await corun::foreign(x)
#include <corun/corun.hpp>

#include <coroutine>

using namespace corun;
using namespace std::chrono_literals;

struct theirs {
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<>) const {}
    void await_resume() const {}
};
task<> wrong() { co_await theirs(); }
