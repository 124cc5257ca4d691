// await_child.cpp - A1: create and await a child that does nothing but answer.
#include "question.hpp"

#include <corun/corun.hpp>

#include <cstdlib>

namespace {

corun::task<std::int64_t> child(std::int64_t i) { co_return i; }

corun::task<> parent(std::int64_t n) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
        sum += co_await child(i);
    if (sum != n * (n - 1) / 2)
        std::abort();
}

const bench::question a1("A1", [](std::int64_t n) { corun::run([n] { return parent(n); }); });

}
