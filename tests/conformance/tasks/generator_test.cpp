// generator_test.cpp - values one after another, awaits between them, and how a generator ends.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

generator<int> count(int from, int to) {
    for (; from < to; ++from) {
        co_yield from;
        co_await yield();
    }
}

/// Notes its end, with an await in it, however it ends.
generator<int> noting(trace& t, std::string name) {
    std::exception_ptr left;
    try {
        for (int i = 0;; ++i)
            co_yield i;
    } catch (...) {
        left = std::current_exception();
    }
    t.note(name + "-closing");
    co_await sleep_for(1ms);
    t.note(name + "-closed");
    std::rethrow_exception(left);
}

generator<int> deaf() {
    for (;;) {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
        }
    }
}

/// Holds generators longer than any loop.
std::vector<std::unique_ptr<generator<int>>> kept;

}

TEST_CASE("a generator gives its values in order, with awaits between them, then nothing, as often as it is asked") {
    run([]() -> task<> {
        std::vector<int> got;
        auto g = count(3, 6);
        while (const auto n = co_await g.next())
            got.push_back(*n);
        CHECK(got == std::vector{3, 4, 5});
        const auto after = co_await g.next();
        CHECK_FALSE(after);
    });
}

TEST_CASE("a generator's values move, and its frame goes at its end, not before") {
    run([]() -> task<> {
        const auto before = live_frames();
        auto g = []() -> generator<std::unique_ptr<int>> { co_yield std::make_unique<int>(7); }();
        const auto value = co_await g.next();
        CHECK(**value == 7);
        CHECK(live_frames() == before + 1);
        const auto end = co_await g.next();
        CHECK_FALSE(end);
        CHECK(live_frames() == before);
    });
}

TEST_CASE("what a generator throws leaves next() once; after that it has ended") {
    run([]() -> task<> {
        auto g = []() -> generator<int> {
            co_yield 1;
            throw std::runtime_error("E");
        }();
        const auto first = co_await g.next();
        CHECK(first == 1);
        const auto second = co_await settled(g.next());
        CHECK(second.threw<std::runtime_error>());
        const auto third = co_await g.next();
        CHECK_FALSE(third);
    });
}

TEST_CASE("a request to the task that waits for a value is delivered inside the generator, which may clean up with awaits") {
    run([]() -> task<> {
        trace t;
        auto g = [](trace& to) -> generator<int> {
            co_yield 1;
            const auto left = co_await settled(sleep_for(1h));
            to.note(left.is_cancelled() ? "cancelled" : "slept");
            co_await yield();
            to.note("clean");
            left.rethrow();
        }(t);
        auto asks = spawn([&g]() -> task<> {
            while (co_await g.next()) {
            }
        });
        co_await yield();
        asks.cancel();
        const auto left = co_await settled(asks);
        CHECK(left.threw<task_cancelled>());
        CHECK(t.joined() == "cancelled clean");
        const auto after = co_await g.next();
        CHECK_FALSE(after);
    });
}

TEST_CASE("close() throws generator_exit at the co_yield, waits for the clean-up, and is without effect on one that has ended") {
    run([]() -> task<> {
        trace t;
        auto g = noting(t, "g");
        (void)co_await g.next();
        co_await g.close();
        CHECK(t.joined() == "g-closing g-closed");
        co_await g.close();
        const auto after = co_await g.next();
        CHECK_FALSE(after);

        auto not_begun = noting(t, "h");
        co_await not_begun.close();
        CHECK(t.joined() == "g-closing g-closed");
    });
}

TEST_CASE("a request during close() is delivered in the clean-up and leaves close()") {
    run([]() -> task<> {
        auto g = []() -> generator<int> {
            try {
                co_yield 1;
            } catch (const generator_exit&) {
            }
            co_await sleep_for(1h);
        }();
        (void)co_await g.next();
        auto closes = spawn([&g]() -> task<> { co_await g.close(); });
        co_await yield();
        closes.cancel();
        const auto left = co_await settled(closes);
        CHECK(closes.is_cancelled());
        (void)left;
    });
}

TEST_CASE("a generator that yields again when it is closed is a misuse, and goes") {
    run([]() -> task<> {
        const auto before = live_frames();
        auto g = deaf();
        (void)co_await g.next();
        const auto left = co_await settled(g.close());
        CHECK(left.threw<usage_error>());
        CHECK(live_frames() == before);
    });
}

TEST_CASE("two tasks that wait for a value of the same generator: the second gets usage_error, the first its value") {
    run([]() -> task<> {
        auto g = []() -> generator<int> {
            co_await sleep_for(1ms);
            co_yield 1;
        }();
        auto first = spawn([&g]() -> task<std::optional<int>> { co_return co_await g.next(); });
        auto second = spawn([&g]() -> task<std::optional<int>> { co_return co_await g.next(); });
        auto closing = spawn([&g]() -> task<> { co_await g.close(); });
        const auto refused = co_await settled(second);
        CHECK(refused.threw<usage_error>());
        const auto not_closed = co_await settled(closing);
        CHECK(not_closed.threw<usage_error>());
        const auto value = co_await first;
        CHECK(value == 1);
    });
}

TEST_CASE("dropped before its end, a generator's frame is destroyed at once; the loop forgets it") {
    run([]() -> task<> {
        const auto before = live_frames();
        {
            auto g = count(0, 100);
            (void)co_await g.next();
            auto moved = std::move(g);
            const auto second = co_await moved.next();
            CHECK(second == 1);
        }
        CHECK(live_frames() == before);
    });
}

TEST_CASE("generators that are left over when a run ends are closed, in the order in which they began, with their clean-up") {
    trace t;
    kept.push_back(std::make_unique<generator<int>>(noting(t, "a")));
    kept.push_back(std::make_unique<generator<int>>(noting(t, "b")));
    kept.push_back(std::make_unique<generator<int>>(noting(t, "not-begun")));
    run([&t]() -> task<> {
        (void)co_await kept[1]->next();
        (void)co_await kept[0]->next();
        spawn([&t]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            t.note("task-ended");
        });
        co_await yield();
    });
    CHECK(t.joined() == "task-ended b-closing b-closed a-closing a-closed");
    run([]() -> task<> {
        const auto after = co_await kept[0]->next();
        CHECK_FALSE(after);
        const auto begins_here = co_await kept[2]->next();
        CHECK(begins_here == 0);
    });
    kept.clear();
}

TEST_CASE("what a left-over generator throws while it is closed is reported, and so is one that yields again") {
    hook_log log;
    kept.push_back(std::make_unique<generator<int>>([]() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
            throw std::runtime_error("E");
        }
    }()));
    kept.push_back(std::make_unique<generator<int>>(deaf()));
    run(run_options().on_exception(log.hook()), []() -> task<> {
        (void)co_await kept[0]->next();
        (void)co_await kept[1]->next();
    });
    REQUIRE(log.size() == 2);
    CHECK(log.reports()[0].what == "E");
    CHECK(log.reports()[0].message == "a generator failed while it was closed at the end of the run");
    CHECK(log.joined().find("it gave a value when it was to end") != std::string::npos);
    kept.clear();
}

TEST_CASE("a left-over generator whose clean-up outlives the grace is destroyed, and its owner finds it ended") {
    hook_log log;
    kept.push_back(std::make_unique<generator<int>>([]() -> generator<int> {
        try {
            co_yield 1;
        } catch (const generator_exit&) {
        }
        co_await sleep_for(1h);
    }()));
    run(run_options().shutdown_grace(1ms).on_exception(log.hook()), []() -> task<> { (void)co_await kept[0]->next(); });
    CHECK(log.size() == 1);
    run([]() -> task<> {
        const auto after = co_await kept[0]->next();
        CHECK_FALSE(after);
    });
    kept.clear();
}

TEST_CASE("a generator may ask another one for its values, to any depth") {
    struct nest {
        static generator<int> of(int depth) {
            if (depth == 0) {
                co_yield 1;
                co_return;
            }
            auto inner = of(depth - 1);
            while (const auto n = co_await inner.next())
                co_yield *n + 1;
        }
    };
    run([]() -> task<> {
        auto g = nest::of(10000);
        const auto n = co_await g.next();
        CHECK(n == 10001);
        const auto end = co_await g.next();
        CHECK_FALSE(end);
    });
}
