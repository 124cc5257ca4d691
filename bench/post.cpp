// post.cpp - A4: n functions posted and then run; a chain of n in which each posts the next.
#include "question.hpp"

#include <corun/corun.hpp>

#include <cstdlib>

namespace {

corun::task<> all_at_once(std::int64_t n) {
    corun::loop& loop = corun::loop::current();
    std::int64_t ran = 0;
    for (std::int64_t i = 0; i < n; ++i)
        loop.post([&ran] { ++ran; });
    co_await corun::yield();   // behind all of them
    if (ran != n)
        std::abort();
}

struct chain_link {
    corun::loop& loop;
    corun::event& done;
    std::int64_t left;

    void operator()() const {
        if (left == 0)
            done.set();
        else
            loop.post(chain_link{loop, done, left - 1});
    }
};

corun::task<> chain(std::int64_t n) {
    corun::event done;
    chain_link{corun::loop::current(), done, n}();
    co_await done.wait();
}

const bench::question a4("A4", [](std::int64_t n) { corun::run([n] { return all_at_once(n); }); });
const bench::question a4b("A4b", [](std::int64_t n) { corun::run([n] { return chain(n); }); });

}
