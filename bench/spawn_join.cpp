// spawn_join.cpp - A2: tasks that are spawned and joined: all at once, one after the other, a thousand at a time.
#include "question.hpp"

#include <corun/corun.hpp>

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace {

corun::task<std::int64_t> child(std::int64_t i) { co_return i; }

void check(std::int64_t sum, std::int64_t n) {
    if (sum != n * (n - 1) / 2)
        std::abort();
}

corun::task<> in_batches(std::int64_t n, std::int64_t batch) {
    std::vector<corun::task_handle<std::int64_t>> children;
    children.reserve(std::size_t(batch));
    std::int64_t sum = 0;
    for (std::int64_t first = 0; first < n; first += batch) {
        for (std::int64_t i = first; i < first + batch; ++i)
            children.push_back(corun::spawn(child(i)));
        for (auto& c : children)
            sum += co_await c;
        children.clear();
    }
    check(sum, n);
}

corun::task<> one_by_one(std::int64_t n) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
        sum += co_await corun::spawn(child(i));
    check(sum, n);
}

const bench::question a2("A2", [](std::int64_t n) { corun::run([n] { return in_batches(n, n); }); });
const bench::question a2b("A2b", [](std::int64_t n) { corun::run([n] { return one_by_one(n); }); });
const bench::question a2c("A2c", [](std::int64_t n) { corun::run([n] { return in_batches(n, 1000); }); });

}
