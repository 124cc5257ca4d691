// asio_tasks.cpp - A1 to A4 in Asio: awaitable, co_spawn, post.
#include "question.hpp"

#include <asio.hpp>

#include <cstdlib>
#include <exception>
#include <utility>

namespace {

using asio::awaitable;
using asio::use_awaitable;

void run(awaitable<void> main, asio::io_context& context) {
    asio::co_spawn(context, std::move(main), [](std::exception_ptr e) {
        if (e)
            std::rethrow_exception(e);
    });
    context.run();
}

void check(std::int64_t sum, std::int64_t n) {
    if (sum != n * (n - 1) / 2)
        std::abort();
}

awaitable<std::int64_t> child(std::int64_t i) { co_return i; }

awaitable<void> await_children(std::int64_t n) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
        sum += co_await child(i);
    check(sum, n);
}

// A handle to join is no part of Asio; counting in the completion handlers is the usual way, and the cheapest.
void spawn_in_batches(std::int64_t n, std::int64_t batch) {
    asio::io_context context(1);
    std::int64_t sum = 0;
    std::int64_t joined = 0;
    for (std::int64_t first = 0; first < n; first += batch) {
        for (std::int64_t i = first; i < first + batch; ++i)
            asio::co_spawn(context, child(i), [&](std::exception_ptr, std::int64_t value) {
                sum += value;
                ++joined;
            });
        context.run();
        context.restart();
    }
    check(joined == n ? sum : -1, n);
}

awaitable<void> spawn_one_by_one(std::int64_t n) {
    const auto executor = co_await asio::this_coro::executor;
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
        sum += co_await asio::co_spawn(executor, child(i), use_awaitable);
    check(sum, n);
}

awaitable<void> player(std::int64_t turns) {
    for (std::int64_t i = 0; i < turns; ++i)
        co_await asio::post(use_awaitable);
}

void play(std::int64_t n) {
    asio::io_context context(1);
    asio::co_spawn(context, player(n / 2), asio::detached);
    asio::co_spawn(context, player(n / 2), asio::detached);
    context.run();
}

void post_all(std::int64_t n) {
    asio::io_context context(1);
    std::int64_t ran = 0;
    for (std::int64_t i = 0; i < n; ++i)
        asio::post(context, [&ran] { ++ran; });
    context.run();
    if (ran != n)
        std::abort();
}

struct chain_link {
    asio::io_context& context;
    std::int64_t left;

    void operator()() const {
        if (left > 0)
            asio::post(context, chain_link{context, left - 1});
    }
};

const bench::question a1("A1", [](std::int64_t n) {
    asio::io_context context(1);
    run(await_children(n), context);
});
const bench::question a2("A2", [](std::int64_t n) { spawn_in_batches(n, n); });
const bench::question a2b("A2b", [](std::int64_t n) {
    asio::io_context context(1);
    run(spawn_one_by_one(n), context);
});
const bench::question a2c("A2c", [](std::int64_t n) { spawn_in_batches(n, 1000); });
const bench::question a3("A3", play);
const bench::question a4("A4", post_all);
const bench::question a4b("A4b", [](std::int64_t n) {
    asio::io_context context(1);
    asio::post(context, chain_link{context, n - 1});
    context.run();
});

}
