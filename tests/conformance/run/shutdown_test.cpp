// shutdown_test.cpp - what a loop closes, ends and destroys at its end.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/os.hpp>
#include <support/stack_meter.hpp>
#include <support/trace.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// What a task may hold at the end.
struct belongings {
    explicit belongings(stream_pair p) : pair(std::move(p)), listener(tcp_listener::bind(loopback())) {}

    stream_pair pair;
    tcp_listener listener;
};

/// Reads whatever the peer sends, into memory that goes right after.
task<> reads(tcp_stream& stream, trace& t) {
    auto buffer = std::make_unique<std::array<std::byte, 100>>();
    const auto end = co_await settled(stream.read(*buffer));
    buffer.reset();
    t.note(end.is_cancelled() ? "read-cancelled" : "read");
}

task<> accepts(tcp_listener& listener, trace& t) {
    const auto end = co_await settled(listener.accept());
    t.note(end.is_cancelled() ? "accept-cancelled" : "accepted");
}

}

TEST_CASE("SHD-01 objects of every kind that are open when main ends are closed before run returns") {
    trace t;
    const auto descriptors = os::open_descriptors();
    run([&]() -> task<> {
        belongings of_main(co_await connected_pair());

        // Held by frames that wait, by a callback that never runs, and by a value that nobody takes.
        const auto waits_with = [&t](belongings own) -> task<> {
            auto reader = spawn(&reads, std::ref(own.pair.ours), std::ref(t));
            auto acceptor = spawn(&accepts, std::ref(own.listener), std::ref(t));
            const auto end = co_await settled(sleep_for(1h));
            co_await reader;
            co_await acceptor;
        };
        auto pair = co_await connected_pair();
        spawn(waits_with, belongings(std::move(pair)));
        auto second = co_await connected_pair();
        auto of_callback = std::make_shared<belongings>(std::move(second));
        loop::current().call_after(1h, [of_callback] {});
        const auto gives = []() -> task<stream_pair> {
            auto made = co_await connected_pair();
            co_return made;
        };
        auto value = std::make_shared<task_handle<stream_pair>>(spawn(gives));
        co_await *value;
        loop::current().call_after(2h, [value] {});
        co_await yield();
        co_await yield();
        CHECK(loop::current().counters().pending_operations == 2);
        CHECK(loop::current().counters().open_handles >= 11);
    });
    CHECK(t.joined() == "read-cancelled accept-cancelled");
    CHECK(os::open_descriptors() == descriptors);
}

TEST_CASE("SHD-01 an object that outlives its loop is closed with it, and may go later") {
    std::optional<belongings> outlives;
    const auto descriptors = os::open_descriptors();
    run([&]() -> task<> {
        auto pair = co_await connected_pair();
        outlives.emplace(std::move(pair));
    });
    CHECK(os::open_descriptors() == descriptors);
    // Takes their numbers: nothing of the old objects may close them.
    run([&]() -> task<> {
        auto pair = co_await connected_pair();
        outlives.reset();
        const std::array<std::byte, 1> sent{};
        std::array<std::byte, 1> received{};
        co_await pair.ours.write(sent);
        const auto count = co_await pair.theirs.read(received);
        CHECK(count == 1);
    });
    CHECK(os::open_descriptors() == descriptors);
}

TEST_CASE("SHD-02 operations that are pending when the loop is closed end before their memory goes") {
    trace t;
    runner r;
    std::optional<belongings> own;
    r.run([&]() -> task<> {
        auto pair = co_await connected_pair();
        own.emplace(std::move(pair));
        spawn(&reads, std::ref(own->pair.ours), std::ref(t));
        spawn(&reads, std::ref(own->pair.theirs), std::ref(t));
        spawn(&accepts, std::ref(own->listener), std::ref(t));
        co_await yield();
        co_await yield();
    });
    CHECK(r.current_loop()->counters().pending_operations == 3);
    CHECK(t.empty());
    r.close();
    CHECK(t.joined() == "read-cancelled read-cancelled accept-cancelled");
}

TEST_CASE("SHD-02 the same for those that begin anew after each cancel, when the grace is over") {
    hook_log log;
    lifetimes of_buffers;
    run(run_options().on_exception(log.hook()).shutdown_grace(20ms), [&]() -> task<> {
        const auto reads_for_ever = [&of_buffers](belongings own) -> task<> {
            for (;;) {
                const counted local(of_buffers);
                std::array<std::byte, 100> buffer;
                const auto end = co_await settled(own.pair.ours.read(buffer));
            }
        };
        const auto accepts_for_ever = [&of_buffers](belongings own) -> task<> {
            for (;;) {
                const counted local(of_buffers);
                const auto end = co_await settled(own.listener.accept());
            }
        };
        auto first = co_await connected_pair();
        spawn(reads_for_ever, belongings(std::move(first)));
        auto second = co_await connected_pair();
        spawn(accepts_for_ever, belongings(std::move(second)));
        co_await yield();
        co_await yield();
    });
    CHECK(log.size() == 2);
    CHECK(of_buffers.made == 4);
    CHECK(of_buffers.destroyed == 4);
}

namespace {

/// Waits through each cancel, in a frame below its own.
template <class Make>
task<> deaf(lifetimes& l, Make make) {
    const counted local(l);
    const auto below = [&l, &make]() -> task<> {
        const counted deeper(l);
        co_await make();
    };
    for (;;)
        const auto end = co_await settled(below());
}

}

TEST_CASE("SHD-07 frames that are destroyed while they wait are destroyed once each, whatever they wait for") {
    lifetimes of_locals;
    hook_log log;
    event never_set;
    mutex locked;
    run(run_options().on_exception(log.hook()).shutdown_grace(20ms), [&]() -> task<> {
        (void)locked.try_lock();
        const auto start = [&of_locals](auto make) { return spawn(&deaf<decltype(make)>, std::ref(of_locals), make); };

        auto sleeper = start([] { return sleep_for(1h); });
        start([&never_set] { return never_set.wait(); });
        start([&locked] {
            const auto takes = [](mutex& m) -> task<> { const auto guard = co_await m.lock(); };
            return takes(locked);
        });
        start([sleeper] {
            const auto joins = [](task_handle<> h) -> task<> { co_await h; };
            return joins(sleeper);
        });
        start([sleeper] { return shield(sleeper); });
        start([sleeper] {
            const auto waits = [](task_handle<> h) -> task<> { co_await wait(h); };
            return waits(sleeper);
        });
        start([] { return timeout(1h, sleep_for(1h)); });
        start([&of_locals] {
            const auto body = [&of_locals](task_group& g) -> task<> {
                const auto make = [] { return sleep_for(1h); };
                g.spawn(&deaf<decltype(make)>, std::ref(of_locals), make);
                co_await sleep_for(1h);
            };
            return with_task_group(body);
        });
        start([&of_locals] {
            const auto make = [] { return sleep_for(1h); };
            return gather(deaf(of_locals, make), deaf(of_locals, make));
        });
        start([&of_locals] {
            const auto make = [] { return sleep_for(1h); };
            return race(deaf(of_locals, make), deaf(of_locals, make));
        });
        start([] {
            const auto waits = []() -> task<> { co_await sleep_for(1h); };
            return finally(waits(), waits());
        });
        co_await sleep_for(1ms);
    });
    CHECK(of_locals.made > 20);
    CHECK(of_locals.alive() == 0);
    CHECK(of_locals.copied == 0);
    CHECK(log.size() >= 11);
}

TEST_CASE("SHD-07 what a waiting frame owns is destroyed on the loop's thread, while the loop is current") {
    struct observer {
        explicit observer(trace& t) : log(t) {}
        ~observer() { log.note(loop::try_current() ? "current" : "gone"); }
        trace& log;
    };
    trace t;
    hook_log log;
    run(run_options().on_exception(log.hook()).shutdown_grace(10ms), [&]() -> task<> {
        const auto leftover = [&t]() -> task<> {
            const observer local(t);
            const auto end = co_await settled(sleep_for(1h));
            co_await sleep_for(1h);
        };
        spawn(leftover);
        loop::current().call_after(1h, [captured = std::make_shared<observer>(t)] {});
        co_await yield();
    });
    CHECK(t.joined() == "current current");
}

namespace {

struct samples_at_end {
    explicit samples_at_end(stack_meter& s) : stack(s) {}
    ~samples_at_end() { stack.sample(); }
    stack_meter& stack;
};

task<> chain(int depth, stack_meter& stack, bool is_deaf) {
    const samples_at_end local(stack);
    if (depth > 0) {
        co_await chain(depth - 1, stack, is_deaf);
        co_return;
    }
    if (is_deaf)
        const auto end = co_await settled(sleep_for(1h));
    co_await sleep_for(1h);
}

}

TEST_CASE("SHD-08 a chain of ten thousand awaits is destroyed in constant stack") {
    stack_meter stack;
    hook_log log;
    run(run_options().on_exception(log.hook()).shutdown_grace(10ms), [&]() -> task<> {
        spawn(&chain, 10'000, std::ref(stack), true);
        co_await yield();
    });
    CHECK(log.size() == 1);
    CHECK(stack.most() > 0);
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("SHD-08 a cancel unwinds a chain of ten thousand awaits in constant stack") {
    stack_meter stack;
    run([&]() -> task<> {
        auto h = spawn(&chain, 10'000, std::ref(stack), false);
        co_await yield();
        h.cancel();
        const auto end = co_await settled(h);
        CHECK(end.threw<task_cancelled>());
    });
    CHECK(stack.most() > 0);
    CHECK(stack.most() < stack_meter::enough);
}

TEST_CASE("SHD-08 ten thousand tasks that join one another are cancelled and destroyed in constant stack") {
    stack_meter stack;
    std::size_t ended = 0;
    run([&]() -> task<> {
        const auto joins = [&](task_handle<> next) -> task<> {
            const samples_at_end local(stack);
            const auto end = co_await settled(next);
            ++ended;
            end.rethrow();
        };
        auto last = spawn([]() -> task<> { co_await sleep_for(1h); });
        for (int i = 0; i < 10'000; ++i)
            last = spawn(joins, last);
        co_await yield();
        last.cancel();
        const auto end = co_await settled(last);
    });
    CHECK(ended == 10'000);
    CHECK(stack.most() < stack_meter::enough);
}
