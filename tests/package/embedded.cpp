// embedded.cpp - a guest in a loop of the program's own.
#include <corun/corun.hpp>
#include <corun/poll_host.hpp>

#include <cstdio>

using namespace std::chrono_literals;

int main() {
    corun::guest guest;
    corun::poll_host host(guest);
    guest.start(
        []() -> corun::task<int> {
            co_await corun::sleep_for(1ms);
            co_return 7;
        },
        [](corun::outcome<int> end) { std::printf("a guest gave %d\n", end.value()); });
    while (!guest.is_finished())
        host.run_once();
}
