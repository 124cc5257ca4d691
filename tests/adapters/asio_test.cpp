// asio_test.cpp - Asio's operations in corun's tasks: their values, their errors, and their cancellation.
#include <corun/asio_host.hpp>
#include <corun/corun.hpp>
#include <corun/use_task.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include "asio_scenes.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

using socket = asio::local::stream_protocol::socket;

struct socket_pair {
    explicit socket_pair(asio::io_context& c) : a(c), b(c) { asio::local::connect_pair(a, b); }
    socket a;
    socket b;
};

/// A context that another thread runs.
struct elsewhere {
    ~elsewhere() {
        work.reset();
        thread.join();
    }
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    std::thread thread{[this] { context.run(); }};
};

/// An operation that ends when it is asked to, and notes on which thread; or when `end` is called.
struct own_operation {
    auto get_executor() const { return context.get_executor(); }
    template <class Handler>
    void operator()(Handler&& h) const {
        const auto kept = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(h));
        asio::get_associated_cancellation_slot(*kept).assign([kept, &on = emitted_on](asio::cancellation_type) {
            on = std::this_thread::get_id();
            std::move (*kept)(asio::error::operation_aborted);
        });
        if (end)
            *end = [kept](std::error_code e) { std::move (*kept)(e); };
    }

    asio::io_context& context;
    std::thread::id& emitted_on;
    std::function<void(std::error_code)>* end = nullptr;
};

template <class Token>
auto begin(own_operation o, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code)>(o, token);
}

}

TEST_CASE("ASIO-01 an operation's value is the await's: none, one, several; an error is thrown, or part of the value with as_tuple") {
    hosted h;
    socket_pair pair(h.context);
    const auto end = h.run([&]() -> task<> {
        std::array<char, 5> got{};
        const std::size_t sent = co_await asio::async_write(pair.a, asio::buffer("hello", 5), use_task);
        CHECK(sent == 5);
        const std::size_t received = co_await asio::async_read(pair.b, asio::buffer(got), use_task);
        CHECK(received == 5);
        CHECK(std::string(got.data(), got.size()) == "hello");

        asio::steady_timer timer(h.context, 1ms);
        co_await timer.async_wait(use_task);
        co_await asio::post(h.context, use_task);

        pair.a.close();
        const auto [error, count] = co_await pair.b.async_read_some(asio::buffer(got), asio::experimental::as_tuple(use_task));
        CHECK(error == asio::error::eof);
        CHECK(count == 0);
        const auto left = co_await settled(pair.b.async_read_some(asio::buffer(got), use_task));
        CHECK(left.threw<std::system_error>());
    });
    CHECK(end.has_value());
}

TEST_CASE("ASIO-02 an operation that completes at once, on the same thread or within its initiation, resumes the task later") {
    hosted h;
    const auto end = h.run([&]() -> task<int> {
        const auto at_once = [](auto&& token) {
            return asio::async_initiate<decltype(token), void(int)>([](auto handler) { std::move(handler)(7); }, token);
        };
        const int got = co_await at_once(use_task);
        co_return got;
    });
    CHECK(outcome<int>(end).value() == 7);
}

TEST_CASE("ASIO-03 a request cancels the operation, which has ended when the await does, and nothing is lost") {
    hosted h;
    socket_pair pair(h.context);
    const auto end = h.run([&]() -> task<> {
        std::array<char, 1> byte{};
        auto reads = spawn([&]() -> task<std::size_t> {
            const std::size_t n = co_await pair.b.async_read_some(asio::buffer(byte), use_task);
            co_return n;
        });
        co_await sleep_for(1ms);
        reads.cancel();
        (void)co_await settled(reads);
        CHECK(reads.is_cancelled());
        co_await asio::async_write(pair.a, asio::buffer("x", 1), use_task);
        const std::size_t later = co_await pair.b.async_read_some(asio::buffer(byte), use_task);
        CHECK(later == 1);
        CHECK(byte[0] == 'x');
    });
    CHECK(end.has_value());
}

TEST_CASE("ASIO-04 operation_aborted without a request is an ordinary error") {
    hosted h;
    const auto end = h.run([&]() -> task<> {
        asio::steady_timer timer(h.context, 1h);
        loop::current().call_after(1ms, [&] { timer.cancel(); });
        const auto left = co_await settled(timer.async_wait(use_task));
        CHECK(left.threw<std::system_error>());
    });
    CHECK(end.has_value());
}

TEST_CASE("ASIO-05 a context that another thread runs: values, and requests, come through") {
    elsewhere e;
    socket_pair pair(e.context);
    asio::steady_timer timer(e.context, 1h);
    run([&]() -> task<> {
        std::array<char, 1> byte{};
        for (int i = 0; i < 50; ++i) {
            co_await asio::async_write(pair.a, asio::buffer("x", 1), use_task);
            const std::size_t n = co_await pair.b.async_read_some(asio::buffer(byte), use_task);
            CHECK(n == 1);
        }
        auto waits = spawn([&]() -> task<> { co_await timer.async_wait(use_task); });
        co_await sleep_for(1ms);
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
        const auto late = co_await settled(timeout(1ms, pair.b.async_read_some(asio::buffer(byte), use_task)));
        CHECK(late.threw<timed_out>());
    });
}

TEST_CASE("ASIO-06 a context that goes with operations outstanding: the awaits end as cancelled") {
    run([]() -> task<> {
        std::optional<asio::io_context> context(std::in_place, 1);
        auto waits = spawn([&]() -> task<> { co_await asio::post(*context, use_task); });
        co_await yield();
        co_await yield();
        CHECK_FALSE(waits.is_done());
        context.reset();   // nobody has run it
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
    });
}

TEST_CASE("ASIO-11 a request is emitted on the operation's executor, also through as_tuple") {
    elsewhere e;
    std::thread::id emitted_on;
    run([&]() -> task<> {
        for (const bool through : {false, true}) {
            emitted_on = {};
            auto waits = spawn([&]() -> task<> {
                if (through)
                    (void)co_await begin(own_operation{e.context, emitted_on}, asio::experimental::as_tuple(use_task));
                else
                    co_await begin(own_operation{e.context, emitted_on}, use_task);
                co_await yield();   // where the error was part of the value, the request is here
            });
            co_await yield();
            waits.cancel();
            (void)co_await settled(waits);
            CHECK(waits.is_cancelled());
            CHECK(emitted_on == e.thread.get_id());
        }
    });
}

TEST_CASE("ASIO-12 an operation that ends while the request is on its way to its executor is not asked any more") {
    asio::io_context context(1);   // polled by hand
    std::thread::id emitted_on;
    std::function<void(std::error_code)> end;
    run([&]() -> task<> {
        auto waits = spawn([&]() -> task<> {
            co_await begin(own_operation{context, emitted_on, &end}, use_task);
            co_await sleep_for(1h);
        });
        co_await yield();
        waits.cancel();   // posts to the executor
        end({});
        context.poll();
        CHECK(emitted_on == std::thread::id());
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
    });
}

TEST_CASE("ASIO-13 a request to a co_spawn that is awaited is the cancellation; operation_aborted without one is an error") {
    hosted h;
    const auto end = h.run([&]() -> task<> {
        const auto sleeps = [&h](auto... make_end) -> asio::awaitable<int> {
            asio::steady_timer timer(h.context, 1h);
            (make_end(timer), ...);
            co_await timer.async_wait(asio::use_awaitable);
            co_return 7;
        };
        auto waits = spawn([&]() -> task<> { (void)co_await asio::co_spawn(h.context, sleeps(), use_task); });
        co_await sleep_for(1ms);
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());

        const auto ends_it = [&h](asio::steady_timer& t) { asio::post(h.context, [&t] { t.cancel(); }); };
        const auto unasked = co_await settled(asio::co_spawn(h.context, sleeps(ends_it), use_task));
        CHECK(unasked.threw<std::system_error>());
    });
    CHECK(end.has_value());
}

TEST_CASE("ASIO-14 a request after the context has gone touches nothing of it") {
    run([]() -> task<> {
        auto context = std::make_unique<asio::io_context>(1);
        auto waits = spawn([&]() -> task<> { co_await asio::post(*context, use_task); });
        co_await yield();
        context.reset();
        waits.cancel();
        (void)co_await settled(waits);
        CHECK(waits.is_cancelled());
    });
}
