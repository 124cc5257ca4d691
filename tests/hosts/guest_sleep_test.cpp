// guest_sleep_test.cpp - a host that sleeps: it is woken by all that gives its guest something to do, once, and by nothing else.
#include <hosts/hosted_guest.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/os.hpp>
#include <support/scale.hpp>
#include <support/semaphore.hpp>
#include <support/wrapped_backend.hpp>

#include <corun/guest_waiter.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("GST-02 a host that is idle is left alone: a distant timer costs nothing") {
    backend_calls calls;
    hosted_guest h(run_options().with(std::make_unique<counting_backend>(calls)));
    event go_on;
    std::uint64_t waits = 0;
    h.host->call_after(20ms, [&] { waits = calls.waits; });
    h.host->call_after(220ms, [&] {
        waits = calls.waits - waits;
        go_on.set();
    });
    (void)h.run([&]() -> task<> {
        auto sleeps = spawn(sleep_for(10s));
        co_await go_on.wait();
    });
    CHECK(waits <= 2);
}

TEST_CASE("GST-03 ten thousand timers fire in order, and none early") {
    const std::size_t count = 10'000;
    hosted_guest h;
    std::vector<time_point> fired;
    std::size_t early = 0;
    (void)h.run([&]() -> task<> {
        event all;
        const time_point start = loop::current().time();
        for (std::size_t i = 0; i < count; ++i) {
            const time_point deadline = start + std::chrono::microseconds(i * 7919 % count * 5);
            loop::current().call_at(deadline, [&, deadline] {
                early += loop::current().time() < deadline;
                fired.push_back(deadline);
                if (fired.size() == count)
                    all.set();
            });
        }
        co_await all.wait();
    });
    CHECK(fired.size() == count);
    CHECK(std::is_sorted(fired.begin(), fired.end()));
    CHECK(early == 0);
}

TEST_CASE("GST-04 a host's code that sets an earlier timer while the guest sleeps ends the sleep in time") {
    hosted_guest h;
    std::optional<duration> late;
    event fired;
    h.host->call_after(5ms, [&] {
        const time_point deadline = h.g.get_loop().time() + 2ms;
        h.g.get_loop().call_at(deadline, [&, deadline] {
            late = h.g.get_loop().time() - deadline;
            fired.set();
        });
    });
    (void)h.run([&]() -> task<> {
        auto distant = spawn(sleep_for(1h));
        co_await fired.wait();
    });
    REQUIRE(late);
    CHECK(*late >= 0s);
    CHECK(*late < 1s);
}

TEST_CASE("GST-05 a host's code that sets an event while the guest sleeps wakes it without any I/O") {
    hosted_guest h;
    event set;
    h.host->call_after(5ms, [&] { set.set(); });
    const auto end = h.run([&]() -> task<> { co_await set.wait(); });
    CHECK(end.has_value());
}

TEST_CASE("GST-06 what eight threads post to a guest runs, all of it") {
    const std::size_t each = scaled(100'000);
    hosted_guest h;
    std::atomic<std::size_t> refused = 0;
    std::size_t ran = 0;
    std::vector<std::thread> posters;
    (void)h.run([&]() -> task<> {
        event all;
        for (int i = 0; i < 8; ++i) {
            posters.emplace_back([&, ref = loop::current().ref()] {
                for (std::size_t n = 0; n < each; ++n)
                    refused += !ref.post([&] {
                        if (++ran == 8 * each)
                            all.set();
                    });
            });
        }
        co_await all.wait();
    });
    for (auto& p : posters)
        p.join();
    CHECK(ran == 8 * each);
    CHECK(refused == 0);
}

TEST_CASE("GST-07 a task that host's code starts while the guest sleeps does I/O") {
    hosted_guest h;
    event done;
    std::string got;
    h.host->call_after(5ms, [&] {
        h.g.spawn([&]() -> task<> {
            auto pair = co_await connected_pair();
            auto reads = spawn(read_some(pair.theirs));
            co_await sleep_for(1ms);
            co_await write_all(pair.ours, as_bytes("hello"));
            got = co_await reads;
            done.set();
        });
    });
    (void)h.run([&]() -> task<> { co_await done.wait(); });
    CHECK(got == "hello");
}

TEST_CASE("EMB-09 answers to a close and a cancel of host's code come although nobody dispatches") {
    hosted_guest h;
    std::optional<tcp_stream> closed_by_host;
    task_ref cancelled_by_host;
    h.host->call_after(5ms, [&] { closed_by_host->close(); });
    h.host->call_after(7ms, [&] { CHECK(cancelled_by_host.cancel()); });
    std::error_code of_close;
    const auto end = h.run([&]() -> task<> {
        auto first = co_await connected_pair();
        auto second = co_await connected_pair();
        closed_by_host.emplace(std::move(first.ours));
        auto reads = spawn([&]() -> task<> {
            std::array<std::byte, 1> byte{};
            co_await second.ours.read(byte);
        });
        cancelled_by_host = reads;
        std::array<std::byte, 1> byte{};
        const auto left = co_await as_result(closed_by_host->read(byte));
        of_close = left.error();
        (void)co_await settled(reads);
        CHECK(reads.is_cancelled());
        closed_by_host.reset();
    });
    CHECK(end.has_value());
    CHECK(of_close == std::errc::operation_canceled);
}

TEST_CASE("GST-22 a storm of signals on the host's thread loses nothing and breaks nothing") {
    static std::atomic<int> arrived = 0;
    struct sigaction mine{};
    struct sigaction before{};
    mine.sa_handler = [](int) { ++arrived; };   // without SA_RESTART
    REQUIRE(sigaction(SIGUSR1, &mine, &before) == 0);
    const pthread_t host_thread = pthread_self();
    std::atomic<bool> over = false;
    std::thread storm([&] {
        while (!over) {
            pthread_kill(host_thread, SIGUSR1);
            std::this_thread::yield();
        }
    });
    hosted_guest h;
    const auto end = h.run([]() -> task<int> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 1> byte{};
        int rounds = 0;
        for (; rounds < 200; ++rounds) {
            co_await pair.ours.write(byte);
            co_await pair.theirs.read(byte);
            if (rounds % 20 == 0)
                co_await sleep_for(1ms);
        }
        co_return rounds;
    });
    over = true;
    storm.join();
    sigaction(SIGUSR1, &before, nullptr);
    CHECK(outcome<int>(end).value() == 200);
    CHECK(arrived > 0);
}

TEST_CASE("GST-23 a megabyte comes through, and a pool thread's answer") {
    hosted_guest h;
    const auto end = h.run([]() -> task<std::size_t> {
        auto pair = co_await connected_pair();
        const std::vector<std::byte> sent(std::size_t(1) << 20, std::byte(7));
        auto writes = spawn([&]() -> task<> {
            co_await write_all(pair.ours, sent);
            co_await pair.ours.shutdown();
        });
        std::size_t got = 0;
        std::vector<std::byte> buffer(4096);
        while (const std::size_t n = co_await pair.theirs.read(buffer))
            got += n;
        co_await writes;
        const auto job = [got] { return got; };
        const std::size_t from_pool = co_await to_thread(job);
        co_return from_pool;
    });
    CHECK(outcome<std::size_t>(end).value() == std::size_t(1) << 20);
}

namespace {

/// A backend whose handle never tells anything: so a kqueue may be inside another one, or a poller in an emulated kernel.
class dumb_backend final : public wrapped_backend {
public:
    struct calls {
        testing::semaphore blocks;           ///< a block() has begun
        std::atomic<bool> blocked = false;   ///< one is under way
        int meetings = 0;                    ///< a close() or cancel() that met one
    };

    explicit dumb_backend(calls& c) : calls_(c) {
        if (::pipe(ends_.data()) != 0)
            throw std::system_error(errno, std::system_category());
    }
    ~dumb_backend() {
        for (const int end : ends_)
            ::close(end);
    }
    native_handle wait_handle() noexcept override { return ends_[0]; }
    void block(time_point deadline) noexcept override {
        calls_.blocked = true;
        calls_.blocks.release();
        real().block(deadline);
        calls_.blocked = false;
    }
    bool cancel(operation& o) noexcept override {
        calls_.meetings += calls_.blocked;
        return real().cancel(o);
    }
    std::error_code close(handle h) noexcept override {
        calls_.meetings += calls_.blocked;
        return real().close(h);
    }

private:
    calls& calls_;
    std::array<int, 2> ends_{};
};

}

TEST_CASE("GST-27 a handle that never becomes readable is found out, and the guest is waited for by a thread") {
    dumb_backend::calls calls;
    std::optional<std::thread> peer;
    hosted_guest h(run_options().with(std::make_unique<dumb_backend>(calls)));
    const auto end = h.run([&]() -> task<std::size_t> {
        auto pair = co_await connected_pair();
        peer.emplace([&blocks = calls.blocks, fd = static_cast<int>(pair.theirs.native_handle())] {
            blocks.acquire();
            [[maybe_unused]] const auto written = ::write(fd, "abc", 3);
        });
        std::array<std::byte, 4> buffer{};
        const std::size_t n = co_await pair.ours.read(buffer);
        peer->join();   // before its descriptor goes
        co_return n;
    });
    CHECK(outcome<std::size_t>(end).value() == 3);
}

TEST_CASE("GST-29 a host's code that closes and cancels while a helper thread waits does not meet it in the backend") {
    dumb_backend::calls calls;
    hosted_guest h(run_options().with(std::make_unique<dumb_backend>(calls)));
    std::optional<stream_pair> pair;
    std::optional<task_handle<>> reads;
    // Some hosts end the thread's wait before each callback of theirs; the others are in the middle of one.
    int tries = 20;
    std::function<void()> end = [&] {
        if (!calls.blocked && --tries > 0) {
            h.host->call_after(1ms, [&] { end(); });
            return;
        }
        reads->cancel();
        pair->theirs.close();
    };
    h.host->call_after(20ms, [&] { end(); });
    (void)h.run([&]() -> task<> {
        pair.emplace(co_await connected_pair());
        reads = spawn([&pair]() -> task<> {
            std::array<std::byte, 4> buffer{};
            (void)co_await pair->ours.read(buffer);
        });
        (void)co_await settled(*reads);
        pair.reset();
    });
    CHECK(reads->is_cancelled());
    CHECK(calls.meetings == 0);
}

TEST_CASE("GST-31 an interrupt wakes a guest that sleeps and was told to handle it, and ends it as `interrupted`") {
    const auto child = os::run_in_child([] {
        hosted_guest h(run_options().handle_interrupts(true));
        std::optional<std::thread> other;
        h.host->call_after(5ms, [&] { other.emplace([] { os::raise_signal(SIGINT); }); });
        const auto end = h.run([&]() -> task<> { co_await sleep_for(1h); });
        other->join();
        return end.threw<interrupted>() ? 0 : 1;
    });
    CHECK(child.code == 0);
}

TEST_CASE("GST-31 a guest that was told nothing leaves interrupts to the host") {
    const auto child = os::run_in_child([] {
        hosted_guest h;
        h.host->call_after(5ms, [&] { os::raise_signal(SIGINT); });
        (void)h.run([&]() -> task<> { co_await sleep_for(1h); });
        return 0;
    });
    CHECK(child.signal == SIGINT);
}

namespace {

/// A host whose loop holds one lock around all that it does, as an interpreter does, and whose hook takes it.
class locking_host {
public:
    wake_hook hook() {
        return {[](void* self) noexcept {
                    auto& host = *static_cast<locking_host*>(self);
                    const std::lock_guard lock(host.of_all_);
                    host.is_asked_ = true;
                    host.changed_.notify_one();
                },
                this};
    }

    /// Until the run is over; `sleep` and `end_sleep` of a waiter, if there is one.
    void turn(guest& g, guest_waiter* waiter) {
        std::unique_lock lock(of_all_);
        for (bool is_over = false; !is_over;) {
            changed_.wait(lock, [this] { return is_asked_; });
            is_asked_ = false;
            if (waiter)
                waiter->end_sleep();
            const dispatch_result left = g.dispatch();
            is_over = left.finished;
            if (left.more || (!is_over && g.prepare()))
                is_asked_ = true;
            else if (waiter && !is_over)
                waiter->sleep_until(g.next_deadline().value_or(no_deadline));
        }
    }

private:
    std::mutex of_all_;
    std::condition_variable changed_;
    bool is_asked_ = true;
};

}

TEST_CASE("GST-52 a hook may take a lock that the host holds while it dispatches") {
    const std::size_t each = scaled(20'000);
    locking_host host;
    guest g;
    g.attach(host.hook());
    std::size_t ran = 0;
    std::vector<std::thread> posters;
    g.start(
        [&]() -> task<> {
            event all;
            for (int i = 0; i < 4; ++i) {
                posters.emplace_back([&, ref = loop::current().ref()] {
                    for (std::size_t n = 0; n < each; ++n)
                        ref.post([&] {
                            if (++ran == 4 * each)
                                all.set();
                        });
                });
            }
            co_await all.wait();
        },
        [](outcome<void>) {});
    host.turn(g, nullptr);
    g.detach();
    for (auto& p : posters)
        p.join();
    CHECK(ran == 4 * each);
}

TEST_CASE("GST-53 the same for a helper thread's hook, while what it waits for ends its waits and the host does too") {
    locking_host host;
    guest g;
    guest_waiter waiter(g, host.hook());
    g.attach(host.hook());
    std::size_t ran = 0;
    std::thread poster;
    const std::size_t count = scaled(5'000);
    g.start(
        [&]() -> task<> {
            event all;
            poster = std::thread([&, ref = loop::current().ref()] {
                for (std::size_t n = 0; n < count; ++n)
                    ref.post([&] {
                        if (++ran == count)
                            all.set();
                    });
            });
            for (std::size_t n = 0; n < count / 10; ++n)
                co_await sleep_for(20us);
            co_await all.wait();
        },
        [](outcome<void>) {});
    host.turn(g, &waiter);
    g.detach();
    poster.join();
    CHECK(ran == count);
}
