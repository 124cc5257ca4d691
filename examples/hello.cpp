// hello.cpp - two lines, a second apart.
#include <corun/corun.hpp>

#include <fmt/core.h>

using namespace std::chrono_literals;

corun::task<> say_hello() {
    fmt::print("Hello!\n");
    co_await corun::sleep_for(1s);
    fmt::print("How are you?\n");
}

int main() { corun::run(say_hello); }
