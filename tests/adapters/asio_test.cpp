// asio_test.cpp - Asio's operations in corun's tasks, corun's tasks as Asio's operations, and the end of a context.
#include <corun/asio_host.hpp>
#include <corun/async_run.hpp>
#include <corun/corun.hpp>
#include <corun/use_task.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

thread_local bool asio_has_memory = true;

/// While it lives, Asio's own memory for handlers can't be had on this thread.
struct no_memory_for_asio {
    no_memory_for_asio() { asio_has_memory = false; }
    no_memory_for_asio(const no_memory_for_asio&) = delete;
    ~no_memory_for_asio() { asio_has_memory = true; }
};

}

/// In the place of the C library's: Asio has its memory from here.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    void* made = nullptr;
    return asio_has_memory && ::posix_memalign(&made, alignment, size) == 0 ? made : nullptr;
}

namespace {

using socket = asio::local::stream_protocol::socket;

struct socket_pair {
    explicit socket_pair(asio::io_context& c) : a(c), b(c) { asio::local::connect_pair(a, b); }
    socket a;
    socket b;
};

/// A guest and a context on this thread.
struct hosted {
    template <class F>
    auto run(F main) {
        using value = typename std::invoke_result_t<F&>::value_type;
        std::optional<outcome<value>> end;
        g.start(std::move(main), [&end](outcome<value> o) { end.emplace(std::move(o)); });
        context.run();
        return std::move(end).value();
    }

    asio::io_context context{1};
    guest g;
    asio_host host{context, g};
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

TEST_CASE("ASIO-07 async_run in an asio::awaitable gives the task's value and throws its exception, on the context's thread") {
    hosted h;
    trace t;
    asio::co_spawn(
        h.context,
        [&]() -> asio::awaitable<void> {
            const int got = co_await async_run(
                h.g.get_loop(),
                []() -> task<int> {
                    co_await sleep_for(1ms);
                    co_return 7;
                },
                asio::use_awaitable);
            t.note(std::to_string(got));
            CHECK(loop::try_current() == nullptr);
            try {
                co_await async_run(
                    h.g.get_loop(),
                    []() -> task<> {
                        co_await yield();
                        throw std::runtime_error("E");
                    },
                    asio::use_awaitable);
            } catch (const std::runtime_error& e) {
                t.note(e.what());
            }
            h.g.request_stop();
        },
        asio::detached);
    const auto end = h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(end.is_cancelled());
    CHECK(t.joined() == "7 E");
}

TEST_CASE("ASIO-08 cancellation of the handler's slot cancels the task, and its end is operation_aborted") {
    hosted h;
    asio::cancellation_signal signal;
    std::exception_ptr left;
    bool cleaned = false;
    async_run(
        h.g.get_loop(),
        [&]() -> task<> {
            const auto end = co_await settled(sleep_for(1h));
            cleaned = end.is_cancelled();
            end.rethrow();
        },
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
            left = e;
            h.g.request_stop();
        }));
    asio::steady_timer timer(h.context, 5ms);
    timer.async_wait([&](std::error_code) { signal.emit(asio::cancellation_type::terminal); });
    (void)h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(cleaned);
    try {
        REQUIRE(left);
        std::rethrow_exception(left);
    } catch (const std::system_error& e) {
        CHECK(e.code() == asio::error::operation_aborted);
    }
}

TEST_CASE("ASIO-09 async_run from another thread, with a future; a loop that has closed answers so") {
    std::optional<loop_ref> ref;
    run([&]() -> task<> {
        ref.emplace(loop::current().ref());
        event done;
        std::thread other([&] {
            auto f = async_run(
                *ref,
                []() -> task<int> {
                    co_await yield();
                    co_return 7;
                },
                asio::use_future);
            CHECK(f.get() == 7);
            ref->post([&] { done.set(); });
        });
        co_await done.wait();
        other.join();
    });
    auto late = async_run(*ref, []() -> task<int> { co_return 7; }, asio::use_future);
    CHECK(usage_of([&] { late.get(); }) == errc::closed_loop);
}

TEST_CASE("ASIO-10 Asio's operation in a corun task in an asio::awaitable") {
    hosted h;
    int got = 0;
    asio::co_spawn(
        h.context,
        [&]() -> asio::awaitable<void> {
            got = co_await async_run(
                h.g.get_loop(),
                [&]() -> task<int> {
                    asio::steady_timer timer(h.context, 1ms);
                    co_await timer.async_wait(use_task);
                    co_return 7;
                },
                asio::use_awaitable);
            h.g.request_stop();
        },
        asio::detached);
    (void)h.run([]() -> task<> { co_await sleep_for(1h); });
    CHECK(got == 7);
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

TEST_CASE("ASIO-15 async_run takes a task that has been made already; a loop that closes with it unended answers so") {
    run([]() -> task<> {
        const auto give = [](int n) -> task<int> { co_return n; };
        auto f = async_run(loop::current(), give(7), asio::use_future);
        while (f.wait_for(0s) != std::future_status::ready)
            co_await yield();
        CHECK(f.get() == 7);
    });

    hook_log log;
    std::future<void> stuck;
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), [&]() -> task<> {
        stuck = async_run(
            loop::current(),
            []() -> task<> {
                for (;;)
                    (void)co_await settled(sleep_for(1h));
            },
            asio::use_future);
        co_await yield();
        co_await yield();
    });
    CHECK(usage_of([&] { stuck.get(); }) == errc::closed_loop);
}

TEST_CASE("RES-04 a wake-up of a guest in an io_context needs no memory, and a host without memory for its waits goes on") {
    hosted h;
    std::size_t refused = 0;
    const auto end = h.run([&]() -> task<> {
        event go_on;
        const loop_ref ref = loop::current().ref();
        asio::steady_timer timer(h.context, 1ms);
        timer.async_wait([&](std::error_code) {   // the guest is asleep
            std::thread other([&] {
                const no_memory_for_asio none;
                try {
                    asio::post(h.context, [] {});
                } catch (const std::bad_alloc&) {
                    ++refused;
                }
                ref.post([&go_on] { go_on.set(); });
            });
            other.join();
        });
        co_await go_on.wait();

        const no_memory_for_asio none;   // nor for the host, when this task sleeps
        for (int i = 0; i < 3; ++i)
            co_await sleep_for(1ms);
    });
    CHECK(end.has_value());
    CHECK(refused == 1);
}

TEST_CASE("GST-30 an io_context that goes before its host and its guest: the guest is drained") {
    std::optional<asio::io_context> context(std::in_place, 1);
    guest g;
    std::optional<outcome<void>> end;
    asio_host host(*context, g);
    bool sleeps = false;
    g.start(
        [&]() -> task<> {
            sleeps = true;
            co_await sleep_for(1h);
        },
        [&](outcome<void> o) { end.emplace(std::move(o)); });
    while (!sleeps)
        context->run_one();
    context.reset();
    g.request_stop();
    CHECK(g.drain(time_point::max()));
    REQUIRE(end);
    CHECK(end->is_cancelled());
}
