// libuv.cpp - a guest on a uv_loop_t, beside a timer of libuv's own that sets an event.
#include <corun/corun.hpp>
#include <corun/libuv_host.hpp>

#include <fmt/core.h>

#include <uv.h>

namespace {

corun::task<> wait_for(corun::event& rung) {
    fmt::print("waiting\n");
    co_await rung.wait();
    fmt::print("libuv's timer rang\n");
}

}

int main() {
    uv_loop_t loop;
    if (uv_loop_init(&loop) != 0)
        return 1;
    corun::event rung;
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    timer.data = &rung;
    uv_timer_start(&timer, [](uv_timer_t* t) { static_cast<corun::event*>(t->data)->set(); }, 10, 0);
    {
        corun::guest guest;
        corun::libuv_host host(loop, guest);
        guest.start([&] { return wait_for(rung); }, [](corun::outcome<void> end) { end.rethrow(); });
        uv_run(&loop, UV_RUN_DEFAULT);   // returns when the guest's run is over
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);   // the last handles end
    return uv_loop_close(&loop);
}
