// task_group.cpp - children end before their scope does; a failure ends them all and leaves as a group.
#include <corun/corun.hpp>

#include <fmt/core.h>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

corun::task<> work(std::string name, corun::duration d) {
    try {
        co_await corun::sleep_for(d);
        fmt::print("{} is done\n", name);
    } catch (const corun::cancelled&) {
        fmt::print("{} is cancelled\n", name);
        throw;
    }
}

corun::task<> fail(corun::duration d) {
    co_await corun::sleep_for(d);
    throw std::runtime_error("the disk is on fire");
}

corun::task<> groups() {
    co_await corun::with_task_group([](corun::task_group& g) -> corun::task<> {
        g.spawn(work, "first", 20ms);
        g.spawn(work, "second", 10ms);
        co_return;
    });
    fmt::print("both children have ended\n");

    try {
        co_await corun::with_task_group([](corun::task_group& g) -> corun::task<> {
            g.spawn(work, "third", 1h);
            g.spawn(fail, 10ms);
            co_return;
        });
    } catch (const corun::exception_group& e) {
        fmt::print("{}\n", e.to_string());
    }
}

int main() { return corun::run_main(groups); }
