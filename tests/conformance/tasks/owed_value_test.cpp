// owed_value_test.cpp - values that were never given, values that nobody gets, frames that change threads before they begin.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/lifetimes.hpp>
#include <support/usage.hpp>

#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace corun;
using namespace testing;

namespace {

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreturn-type"
#endif
task<std::string> forgets(bool gives) {
    if (gives)
        co_return "a value";
}
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

struct fails_at_end {
    fails_at_end() = default;
    fails_at_end(const fails_at_end&) = delete;
    ~fails_at_end() noexcept(false) { throw std::runtime_error("flush failed"); }
};

task<counted> gives_then_fails(lifetimes& of_value) {
    const fails_at_end flush;
    co_return counted(of_value);
}

}

TEST_CASE("TSK-38 a task that ends without the value it owes is a usage_error for whoever awaits it") {
    run([]() -> task<> {
        const auto in_place = co_await settled(forgets(false));
        CHECK(usage_of(in_place) == errc::no_value);
        const auto spawned = co_await settled(spawn(forgets, false));
        CHECK(usage_of(spawned) == errc::no_value);
        auto given = co_await settled(forgets(true));
        CHECK(given.value() == "a value");
    });
    CHECK(usage_of([] { run(forgets, false); }) == errc::no_value);
}

TEST_CASE("TSK-39 a value that was given before a local's destructor threw is destroyed") {
    lifetimes of_value;
    run([&]() -> task<> {
        const auto in_place = co_await settled(gives_then_fails(of_value));
        CHECK(describe(in_place.error()) == "flush failed");
        const auto spawned = co_await settled(spawn(gives_then_fails, std::ref(of_value)));
        CHECK(describe(spawned.error()) == "flush failed");
    });
    CHECK(of_value.made > 0);
    CHECK(of_value.alive() == 0);
}

TEST_CASE("TSK-40 a frame counts where its coroutine begins, wherever it was made") {
    run([]() -> task<> {
        const auto before = live_frames();
        const auto five = []() -> task<int> { co_return 5; };
        auto made_elsewhere = std::async(std::launch::async, five).get();
        auto dropped = five();
        CHECK(live_frames() == before);
        auto other = std::async(std::launch::async, [t = std::move(dropped)]() mutable {
            const auto taken = std::move(t);
            return live_frames();
        });
        CHECK(other.get() == 0);
        const int value = co_await std::move(made_elsewhere);
        CHECK(value == 5);
        CHECK(live_frames() == before);
        CHECK(loop::current().counters().live_frames == before);
    });
}
