// submission_test.cpp - each submission is answered, whatever fails on the way, and one that has been answered keeps its answer.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <unit/core/brittle.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <new>
#include <optional>

using namespace corun;
using namespace testing;

namespace {

task<> some_turns() {
    for (int i = 0; i < 6; ++i)
        co_await yield();
}

/// Its moves throw `cancelled` once `throws` is true.
struct cancels_on_move {
    explicit cancels_on_move(const bool& when) noexcept : throws(&when) {}
    cancels_on_move(cancels_on_move&& other) : throws(other.throws) {
        if (*throws)
            throw cancelled{};
    }
    const bool* throws;
};

struct sets_at_end {
    explicit sets_at_end(bool& f) noexcept : flag(f) {}
    sets_at_end(const sets_at_end&) = delete;
    ~sets_at_end() { flag = true; }
    bool& flag;
};

}

TEST_CASE("a submission whose function throws wherever it is moved tells so: at once, or through the future") {
    run([]() -> task<> {
        int at_once = 0;
        int through_future = 0;
        int ran = 0;
        for (int at = 1; ran == 0; ++at) {
            std::optional<submission<int>> answer;
            try {
                answer.emplace(submit(loop::current().ref(), [own = brittle(at), &ran]() -> task<int> { co_return ++ran; }));
            } catch (const move_failed&) {
                ++at_once;
                continue;
            }
            co_await some_turns();
            int given = 0;
            try {
                given = answer->get();
            } catch (const move_failed&) {
                ++through_future;
            }
            CHECK(given == ran);
        }
        CHECK(at_once > 0);
        CHECK(through_future > 0);
        CHECK(ran == 1);
        CHECK(loop::current().counters().tasks == 1);
    });
}

TEST_CASE("a submission for which the loop has no memory is answered with bad_alloc, and its task does not run") {
    if (!allocations_are_counted)
        return;
    run([]() -> task<> {
        int failures = 0;
        for (std::size_t nth = 1;; ++nth) {
            bool ran = false;
            bool has_failed = false;
            std::optional<failing_allocation> failing;
            // One after the other in a turn: memory fails, the task is started, memory is there again.
            loop::current().call_soon([&failing, nth] { failing.emplace(nth); });
            // A callable that no free list has a block for.
            auto answer = submit(loop::current().ref(), [&ran, large = std::array<std::byte, 4096>()]() -> task<int> {
                (void)large;
                ran = true;
                co_return 7;
            });
            loop::current().ref().post([&failing, &has_failed] {
                has_failed = failing->has_failed();
                failing.reset();
            });
            co_await some_turns();
            CHECK(loop::current().counters().tasks == 1);
            if (!has_failed) {
                CHECK(answer.get() == 7);
                break;
            }
            ++failures;
            CHECK_FALSE(ran);
            CHECK_THROWS_AS(answer.get(), std::bad_alloc);
        }
        CHECK(failures > 0);
    });
}

TEST_CASE("a value whose move throws `cancelled` on its way to the future is a task_cancelled there") {
    run([]() -> task<> {
        bool throws = false;
        auto answer = submit(loop::current().ref(), [&throws]() -> task<cancels_on_move> {
            const sets_at_end from_now_on(throws);
            co_return cancels_on_move(throws);
        });
        co_await some_turns();
        CHECK_THROWS_AS(answer.get(), task_cancelled);
    });
}

TEST_CASE("a submission that is cancelled when its task has ended gives the value; the loop is asked, as it is open") {
    run([]() -> task<> {
        auto answer = submit(loop::current().ref(), []() -> task<int> { co_return 7; });
        co_await some_turns();
        CHECK(answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
        CHECK(answer.cancel());
        co_await some_turns();
        CHECK(answer.get() == 7);
    });
}
