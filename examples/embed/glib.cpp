// glib.cpp - a guest in a GMainLoop, as in a GTK program.
#include <corun/corun.hpp>
#include <corun/glib_host.hpp>

#include <fmt/core.h>

#include <glib.h>

using namespace std::chrono_literals;

namespace {

corun::task<> count() {
    for (int i = 1; i <= 3; ++i) {
        fmt::print("{}\n", i);
        co_await corun::sleep_for(10ms);
    }
}

}

int main() {
    GMainLoop* const loop = g_main_loop_new(nullptr, FALSE);
    {
        corun::guest guest;
        corun::glib_host host(guest);
        guest.start(count, [loop](corun::outcome<void>) {
            fmt::print("the guest is done, and so is the main loop\n");
            g_main_loop_quit(loop);
        });
        g_main_loop_run(loop);
    }
    g_main_loop_unref(loop);
}
