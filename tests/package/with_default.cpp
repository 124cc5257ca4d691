// with_default.cpp - runs on the backend that corun::corun was built with.
#include <corun/corun.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

corun::task<std::string> backend_of_this_loop() {
    co_await corun::sleep_for(1ms);
    co_return std::string(corun::loop::current().backend_name());
}

int main() { std::printf("corun::corun runs on %s\n", corun::run(backend_of_this_loop).c_str()); }
