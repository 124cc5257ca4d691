// error: corun::async_run() makes it an operation of Asio's, spawn(f).on_done(g) calls g at its end
#include <corun/corun.hpp>

#include <coroutine>

using namespace corun;
using namespace std::chrono_literals;

struct theirs {
    struct promise_type {
        theirs get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};
task<> work() { co_return; }
theirs wrong() { co_await work(); }
