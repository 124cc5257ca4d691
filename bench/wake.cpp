// wake.cpp ROUNDS WAKES - what a wake-up costs in each host, against run() itself. W1: two tasks send a byte to and fro; every receipt is a
// wait of the kernel's, though a short one. W2: the other task is on a loop of another thread, so that each side sleeps. A line of JSON for
// each row, round and host: nanoseconds a wake.
#include <corun/corun.hpp>
#include <corun/poll_host.hpp>
#include <corun/thread_host.hpp>

#ifdef CORUN_BENCH_ASIO
#include <asio/io_context.hpp>
#include <corun/asio_host.hpp>
#endif
#ifdef CORUN_BENCH_LIBUV
#include <corun/libuv_host.hpp>
#include <uv.h>
#endif
#ifdef CORUN_BENCH_GLIB
#include <corun/glib_host.hpp>
#include <glib.h>
#endif

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace {

corun::task<corun::tcp_stream> connect_to(corun::address where) {
    auto stream = co_await corun::connect(where);
    co_return stream;
}

corun::task<> answer(corun::tcp_stream& stream, int count) {
    std::array<std::byte, 1> byte{};
    for (int i = 0; i < count; ++i) {
        co_await stream.readable();
        co_await stream.read(byte);
        co_await stream.write(byte);
    }
}

corun::task<std::chrono::nanoseconds> to_and_fro(corun::tcp_stream& ours, int count) {
    std::array<std::byte, 1> byte{};
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
        co_await ours.write(byte);
        co_await ours.readable();
        co_await ours.read(byte);
    }
    co_return std::chrono::steady_clock::now() - began;
}

corun::task<> answer_there(corun::address where, int count) {
    auto stream = co_await corun::connect(where);
    stream.set_nodelay(true);
    co_await answer(stream, count);
}

/// W2: each round trip is one wake of ours.
corun::task<std::chrono::nanoseconds> with_other_thread(int wakes) {
    auto listener = corun::tcp_listener::bind(corun::address::loopback());
    std::thread other([where = listener.local_address(), wakes] { corun::run(answer_there, where, wakes); });
    auto ours = co_await listener.accept();
    ours.set_nodelay(true);
    const auto took = co_await to_and_fro(ours, wakes);
    other.join();
    co_return took;
}

/// W1: each round trip is two.
corun::task<std::chrono::nanoseconds> ping_pong(int wakes) {
    auto listener = corun::tcp_listener::bind(corun::address::loopback());
    auto connecting = corun::spawn(connect_to, listener.local_address());
    auto theirs = co_await listener.accept();
    auto ours = co_await std::move(connecting);
    ours.set_nodelay(true);
    theirs.set_nodelay(true);
    auto answers = corun::spawn([&] { return answer(theirs, wakes / 2); });
    const auto took = co_await to_and_fro(ours, wakes / 2);
    co_await answers;
    co_return took;
}

using host_run = std::function<void(corun::guest&)>;

using question = corun::task<std::chrono::nanoseconds> (*)(int wakes);

std::chrono::nanoseconds hosted(question asked, int wakes, const host_run& host) {
    std::chrono::nanoseconds took{};
    corun::guest guest;
    guest.start([asked, wakes] { return asked(wakes); }, [&took](corun::outcome<std::chrono::nanoseconds> end) { took = end.value(); });
    host(guest);
    return took;
}

void in_poll(corun::guest& g) {
    corun::poll_host host(g);
    host.run();
}

void in_thread_host(corun::guest& g) {
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<std::function<void()>> queue;
    corun::thread_host host(g, [&](std::function<void()> f) {
        const std::lock_guard lock(mutex);
        queue.push_back(std::move(f));
        filled.notify_one();
    });
    while (!g.is_finished()) {
        std::unique_lock lock(mutex);
        filled.wait(lock, [&] { return !queue.empty(); });
        const auto f = std::move(queue.front());
        queue.pop_front();
        lock.unlock();
        f();
    }
}

#ifdef CORUN_BENCH_ASIO
void in_asio(corun::guest& g) {
    asio::io_context context(1);
    corun::asio_host host(context, g);
    context.run();
}
#endif

#ifdef CORUN_BENCH_LIBUV
void in_libuv(corun::guest& g) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    {
        corun::libuv_host host(loop, g);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}
#endif

#ifdef CORUN_BENCH_GLIB
void in_glib(corun::guest& g) {
    GMainContext* const context = g_main_context_new();
    {
        corun::glib_host host(g, context);
        while (!g.is_finished())
            g_main_context_iteration(context, TRUE);
    }
    g_main_context_unref(context);
}
#endif

}

int main(int argc, char* argv[]) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
    const int wakes = argc > 2 ? std::atoi(argv[2]) : 20'000;
    std::vector<std::pair<const char*, host_run>> hosts{{"poll", in_poll}, {"thread", in_thread_host}};
#ifdef CORUN_BENCH_ASIO
    hosts.emplace_back("asio", in_asio);
#endif
#ifdef CORUN_BENCH_LIBUV
    hosts.emplace_back("libuv", in_libuv);
#endif
#ifdef CORUN_BENCH_GLIB
    hosts.emplace_back("glib", in_glib);
#endif
    const auto measure = [&](const char* row, question asked, int count) {
        const auto print = [&](int round, const char* host, std::chrono::nanoseconds took) {
            std::printf("{\"row\": \"%s\", \"round\": %d, \"host\": \"%s\", \"ns\": %.1f}\n", row, round, host,
                        static_cast<double>(took.count()) / count);
        };
        for (int round = 0; round < rounds; ++round) {
            print(round, "native", corun::run([&] { return asked(count); }));
            for (const auto& [name, host] : hosts)
                print(round, name, hosted(asked, count, host));
        }
    };
    measure("W1", ping_pong, wakes);
    measure("W2", with_other_thread, wakes / 4);
}
