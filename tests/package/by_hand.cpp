// by_hand.cpp - a program that picks its backend itself: corun::core and corun::epoll.
#include <corun/corun.hpp>
#include <corun/epoll.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

corun::task<std::string> backend_of_this_loop() {
    co_await corun::sleep_for(1ms);
    co_return std::string(corun::loop::current().backend_name());
}

int main() {
    const auto name = corun::run(corun::run_options().with(corun::make_epoll()), backend_of_this_loop);
    std::printf("corun::core runs on %s\n", name.c_str());
}
