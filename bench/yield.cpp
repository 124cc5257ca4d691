// yield.cpp - A3: two tasks that give each other the turn; n switches.
#include "question.hpp"

#include <corun/corun.hpp>

namespace {

corun::task<> player(std::int64_t turns) {
    for (std::int64_t i = 0; i < turns; ++i)
        co_await corun::yield();
}

corun::task<> game(std::int64_t n) {
    const auto first = corun::spawn(player(n / 2));
    const auto second = corun::spawn(player(n / 2));
    co_await first;
    co_await second;
}

const bench::question a3("A3", [](std::int64_t n) { corun::run([n] { return game(n); }); });

}
