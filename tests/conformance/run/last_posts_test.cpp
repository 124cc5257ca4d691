// last_posts_test.cpp - the end of shut down: what is posted in it, what that starts, and what is left when the loop has closed.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>
#include <support/lifetimes.hpp>
#include <support/trace.hpp>
#include <support/usage.hpp>

#include <cstddef>
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

/// Calls `f` as it is destroyed, once.
template <class F>
class at_end {
public:
    explicit at_end(F f) : f_(std::move(f)) {}
    at_end(at_end&& other) noexcept : f_(std::move(other.f_)), armed_(std::exchange(other.armed_, false)) {}
    ~at_end() {
        if (armed_)
            f_();
    }

private:
    F f_;
    bool armed_ = true;
};

}

TEST_CASE("SHD-32 the hook for left-over tasks is told of each round's, in creation order, before they are cancelled") {
    trace t;
    run(run_options().on_leftovers([&t](const std::vector<task_ref>& left) {
        std::string text;
        for (const task_ref& each : left)
            text += each.name() + (each.is_done() || each.cancelling() > 0 ? "!" : "");
        t.note(text);
    }),
        []() -> task<> {
            const auto waits = []() -> task<> { co_await sleep_for(1h); };
            const auto leaves_one = [waits]() -> task<> {
                (void)co_await settled(sleep_for(1h));
                spawn(waits).set_name("c");
            };
            spawn(leaves_one).set_name("a");
            spawn(waits).set_name("b");
            co_await yield();
        });
    CHECK(t.joined() == "ab c");
}

TEST_CASE("SHD-34 what a left-over generator threw as it was closed is told once: its owner finds it ended") {
    hook_log log;
    std::optional<generator<int>> kept;
    run(run_options().on_exception(log.hook()), [&kept]() -> task<> {
        kept.emplace([]() -> generator<int> {
            try {
                co_yield 1;
            } catch (const generator_exit&) {
                throw std::runtime_error("E");
            }
        }());
        const auto one = co_await kept->next();
        CHECK(one == 1);
    });
    CHECK(log.joined() == "E");
    std::optional<outcome<void>> end;
    run([&]() -> task<> {
        const auto looks = [&]() -> task<> {
            const auto none = co_await kept->next();
            CHECK_FALSE(none);
        };
        end = co_await settled(looks());
    });
    CHECK(end->has_value());
}

TEST_CASE("SHD-40 a generator that has ended already, and is kept beyond the run, is let alone by its end") {
    hook_log log;
    trace t;
    std::optional<generator<int>> kept;
    run(run_options().on_exception(log.hook()), [&]() -> task<> {
        kept.emplace([](trace& seen) -> generator<int> {
            seen.note("begins");
            co_yield 1;
            seen.note("ends");
        }(t));
        while (co_await kept->next())
            t.note("one");
    });
    CHECK(t.joined() == "begins one ends");
    CHECK(log.joined() == "");
    std::optional<int> more = 1;
    run([&]() -> task<> { more = co_await kept->next(); });
    CHECK_FALSE(more);
}

TEST_CASE("SHD-35 what is posted in shut down's last turns is accepted as long as it is run, and runs") {
    trace t;
    run([&t]() -> task<> {
        loop& l = loop::current();
        const auto posts = [&t, &l] {
            t.note("first");
            const bool taken = l.post([&t] { t.note("second"); });
            t.note(taken ? "accepted" : "refused");
        };
        spawn([posts, &l]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            l.post(posts);
        });
        co_await yield();
    });
    CHECK(t.joined() == "first accepted second");
}

TEST_CASE("SHD-35 the same through the loop's name, as another thread would") {
    trace t;
    run([&t]() -> task<> {
        const loop_ref ref = loop::current().ref();
        const auto posts = [&t, ref] {
            t.note("first");
            const bool taken = ref.post([&t] { t.note("second"); });
            t.note(taken ? "accepted" : "refused");
        };
        spawn([posts, ref]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            ref.post(posts);
        });
        co_await yield();
    });
    CHECK(t.joined() == "first accepted second");
}

TEST_CASE("SHD-36 a task that a last post starts is one of the left-over tasks, not one that outstayed the grace") {
    lifetimes l;
    hook_log log;
    run(run_options().on_exception(log.hook()), [&l]() -> task<> {
        loop::current().post([&l] { spawn([](counted) -> task<> { co_await sleep_for(1h); }, counted(l)); });
        co_return;
    });
    CHECK(log.joined() == "");
    CHECK(l.made > 0);
    CHECK(l.alive() == 0);
}

namespace {

/// Posts itself until that is refused, and notes the timers that it finds armed.
struct posts_itself {
    std::size_t& armed;
    void operator()() const {
        armed = loop::current().counters().armed_timers;
        loop::current().post(*this);
    }
};

}

TEST_CASE("SHD-37 the bound on the pool's end is no timer any more once its threads have ended") {
    std::size_t armed = 99;
    run(run_options().real_threads(true), [&armed]() -> task<> {
        co_await to_thread([] {});
        loop::current().post(posts_itself{armed});
    });
    CHECK(armed == 0);
}

TEST_CASE("RES-04 without memory for a list of the left-over tasks each of them is asked to end, and once") {
    if (!allocations_are_counted) {
        WARN("no allocation can be made to fail in this build");
        return;
    }
    int requests = 0;
    std::optional<failing_allocation> failing;
    run(run_options().on_exception([](const exception_report&) {}), [&]() -> task<> {
        const auto counts = [&requests]() -> task<> {
            (void)co_await settled(sleep_for(1h));
            requests += static_cast<int>(this_task::handle().cancelling());
        };
        for (int i = 0; i < 3; ++i)
            spawn(counts);
        co_await yield();
        failing.emplace(1);
    });
    CHECK(failing->has_failed());
    failing.reset();
    CHECK(requests == 3);
}

TEST_CASE("RUN-48 a loop that has closed takes no callback, from the destructor of a function that it drops") {
    std::optional<errc> soon;
    std::optional<errc> later;
    run([&]() -> task<> {
        const auto calls = [&soon, &later, &l = loop::current()] {
            soon = usage_of([&l] { l.call_soon([] {}); });
            later = usage_of([&l] { l.call_after(1h, [] {}); });
        };
        auto dropped = std::make_shared<at_end<decltype(calls)>>(calls);
        loop::current().call_after(1h, [dropped] {});
        co_return;
    });
    CHECK(soon == errc::closed_loop);
    CHECK(later == errc::closed_loop);
}
