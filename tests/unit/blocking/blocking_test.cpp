// blocking_test.cpp - cards on the pool are the core's: counted, withdrawn, waited for, never the backend's to cancel.
#include "blocking_backend.hpp"

#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/end_of.hpp>
#include <support/hook_log.hpp>
#include <support/os.hpp>
#include <support/semaphore.hpp>
#include <unit/no_threads.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

/// A backend whose performing threads say when they begin, and go on when they are let.
struct held_performing {
    held_performing() {
        made->before_perform = [this] {
            if (!holds)
                return;
            begun.release();
            may_end.acquire();
        };
    }

    run_options options() { return run_options().with(std::move(owned)); }

    std::atomic<bool> holds = false;
    testing::semaphore begun{0};
    testing::semaphore may_end{0};
    std::unique_ptr<blocking_backend> owned = std::make_unique<blocking_backend>();
    blocking_backend* made = owned.get();
};

/// A connection with a byte to be read.
task<stream_pair> readable_pair() {
    auto pair = co_await connected_pair();
    co_await write_all(pair.theirs, as_bytes("x"));
    co_return pair;
}

}

TEST_CASE("LOOP-31 an operation on the pool counts as pending until its answer is there") {
    held_performing h;
    run(h.options(), [&h]() -> task<> {
        auto pair = co_await readable_pair();
        h.holds = true;
        const auto reads = [&]() -> task<std::string> { return read_some(pair.ours); };
        auto reading = spawn(reads);
        co_await yield();
        h.begun.acquire();
        CHECK(loop::current().counters().pending_operations == 1);
        h.holds = false;
        h.may_end.release();
        const auto text = co_await reading;
        CHECK(text == "x");
        CHECK(loop::current().counters().pending_operations == 0);
        CHECK(h.made->performed >= 1);
    });
}

TEST_CASE("LOOP-32 an operation that no thread has begun with is withdrawn: its task ends at once, and it is never performed") {
    held_performing h;
    run(std::move(h.options()).pool_threads(1), [&h]() -> task<> {
        auto pair = co_await readable_pair();
        testing::semaphore gate(0);
        testing::semaphore holds(0);
        const auto holder = [&]() -> task<> {
            const auto job = [&] {
                holds.release();
                gate.acquire();
            };
            co_await to_thread(job);
        };
        auto held = spawn(holder);
        co_await yield();
        holds.acquire();
        const int before = h.made->performed;
        const auto reads = [&]() -> task<std::string> { return read_some(pair.ours); };
        auto reading = spawn(reads);
        co_await yield();
        CHECK(loop::current().counters().pending_operations == 1);
        CHECK(reading.cancel());
        co_await yield();
        CHECK(end_of(reading) == "cancelled");
        CHECK(loop::current().counters().pending_operations == 0);
        gate.release();
        co_await held;
        CHECK(h.made->performed == before);
        CHECK(h.made->cancelled_on_pool == 0);
        const auto text = co_await read_some(pair.ours);   // nothing was lost
        CHECK(text == "x");
    });
}

TEST_CASE(
    "LOOP-33 a request while a thread performs: the answer comes first, the request at the next suspension, and the backend isn't asked") {
    held_performing h;
    run(h.options(), [&h]() -> task<> {
        auto pair = co_await readable_pair();
        h.holds = true;
        std::string got;
        bool went_on = false;
        const auto reads = [&]() -> task<> {
            got = co_await read_some(pair.ours);
            went_on = true;
            co_await yield();
            FAIL("the request was lost");
        };
        auto reading = spawn(reads);
        co_await yield();
        h.begun.acquire();
        CHECK(reading.cancel());
        for (int i = 0; i < 10; ++i)
            co_await yield();
        CHECK_FALSE(reading.is_done());
        h.holds = false;
        h.may_end.release();
        (void)co_await settled(reading);
        CHECK(reading.is_cancelled());
        CHECK(went_on);
        CHECK(got == "x");
        CHECK(h.made->cancelled_on_pool == 0);
    });
}

TEST_CASE("LOOP-34 a stream closed while a thread performs: the descriptor stays until that has ended, then it is closed, and the answer "
          "is real") {
    held_performing h;
    run(h.options(), [&h]() -> task<> {
        auto pair = co_await readable_pair();
        const int number = static_cast<int>(pair.ours.native_handle());
        h.holds = true;
        const auto reads = [&]() -> task<std::string> { return read_some(pair.ours); };
        auto reading = spawn(reads);
        co_await yield();
        h.begun.acquire();
        h.holds = false;
        pair.ours.close();
        CHECK_FALSE(pair.ours.is_open());
        CHECK(::fcntl(number, F_GETFD) >= 0);
        auto other = co_await connected_pair();
        CHECK(other.ours.native_handle() != number);
        CHECK(other.theirs.native_handle() != number);
        h.may_end.release();
        const auto text = co_await reading;
        CHECK(text == "x");
        CHECK(::fcntl(number, F_GETFD) < 0);
        CHECK(loop::current().counters().open_handles == 3);
    });
}

TEST_CASE("LOOP-35 shut down waits for a thread that performs; a grace that is over reports the task, and its frame goes when the thread "
          "has ended") {
    for (const bool bounded : {false, true}) {
        held_performing h;
        bool reported = false;
        tcp_stream kept;
        auto options = h.options();
        if (bounded)
            options = std::move(options).shutdown_grace(1ms);
        options = std::move(options).on_exception([&](const exception_report& r) {
            reported = true;
            CHECK(r.message == "a task did not stop within the shutdown grace");
            h.may_end.release();
        });
        run(std::move(options), [&h, bounded, &kept]() -> task<> {
            auto pair = co_await readable_pair();
            kept = std::move(pair.ours);
            h.holds = true;
            const auto reads = [&kept]() -> task<> { (void)co_await read_some(kept); };
            spawn(reads);
            co_await yield();
            h.begun.acquire();
            if (!bounded)
                loop::current().call_after(1ms, [&h] { h.may_end.release(); });
        });
        CHECK(reported == bounded);
    }
}

TEST_CASE("LOOP-35 a thread that outlasts the pool's grace, too: run() reports it, and leaves frame and descriptor to it") {
    const auto child = os::run_in_child([] {
        held_performing h;
        hook_log log;
        run(std::move(h.options()).shutdown_grace(0s).pool_grace(1ms).on_exception(log.hook()), [&h]() -> task<> {
            auto pair = co_await readable_pair();
            h.holds = true;
            spawn(
                [](held_performing& held, stream_pair p) -> task<> {
                    std::array<std::byte, 1> one{};
                    (void)held;
                    for (;;)
                        (void)co_await settled(p.ours.read(one));
                },
                std::ref(h), std::move(pair));
            co_await yield();
            co_await yield();
            h.begun.acquire();
        });
        // Its descriptors are still open: the thread may be using them.
        h.may_end.release();
        os::say(log.reports().back().message);
        ::_exit(7);   // what was left behind stays so
        return 0;
    });
    CHECK(child.code == 7);
    CHECK(child.output == "a call on a pool thread did not end; the frames that wait for it are left behind");
}

TEST_CASE("RES-08 an operation for the pool for which no thread can be started ends with the system's error, and the next one is made") {
    run(run_options().with(std::make_unique<blocking_backend>()), []() -> task<> {
        auto pair = co_await connected_pair();
        REQUIRE(::send(static_cast<int>(pair.theirs.native_handle()), "x", 1, 0) == 1);
        std::array<std::byte, 1> byte;
        {
            const no_threads none;
            const auto refused = co_await as_result(pair.ours.read(byte));
            CHECK(refused.error() == std::errc::resource_unavailable_try_again);
            CHECK(loop::current().counters().pending_operations == 0);
        }
        const auto read = co_await as_result(pair.ours.read(byte));
        CHECK(read.has_value());
    });
}

TEST_CASE("RES-08 an operation for the pool without memory for its way there ends with not_enough_memory, whatever there is none for") {
    if (!allocations_are_counted)
        return;
    bool was_refused = true;
    int refusals = 0;
    for (std::size_t nth = 1; was_refused; ++nth) {
        INFO("allocation " << nth);
        std::error_code told;
        // A thread of its own: its free lists are empty.
        std::thread([&] {
            run(run_options().handle_interrupts(false).with(std::make_unique<blocking_backend>()), [&]() -> task<> {
                auto pair = co_await connected_pair();
                (void)::send(static_cast<int>(pair.theirs.native_handle()), "x", 1, 0);
                std::array<std::byte, 1> byte;
                const failing_allocation failing(nth);
                const auto read = co_await as_result(pair.ours.read(byte));
                was_refused = failing.has_failed();
                told = read.error();
            });
        }).join();
        refusals += was_refused;
        CHECK(was_refused == (told == std::errc::not_enough_memory));
        CHECK(was_refused == static_cast<bool>(told));
    }
    CHECK(refusals >= 2);   // the pool, and its thread
}
