// shared_await_test.cpp - what is awaited once, awaited by two tasks.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/usage.hpp>

#include <array>
#include <cstddef>
#include <utility>

using namespace corun;
using namespace testing;

TEST_CASE("ERR-03 a task that two others await runs for the first; the second is told, and the first gets its value") {
    const auto main = []() -> task<> {
        event may_end;
        int runs = 0;
        const auto gives = [&]() -> task<int> {
            ++runs;
            co_await may_end.wait();
            co_return 7;
        };
        auto shared = gives();
        const auto awaits = [&]() -> task<int> {
            const int value = co_await std::move(shared);
            co_return value;
        };
        auto first = spawn(awaits);
        auto second = spawn(awaits);
        co_await wait(second);
        const auto refused = co_await settled(std::move(second));
        CHECK(usage_of(refused) == errc::already_awaited);
        CHECK_FALSE(first.is_done());
        may_end.set();
        const int value = co_await first;
        CHECK(value == 7);
        CHECK(runs == 1);
    };
    run(main);
}

TEST_CASE("ERR-03 one read that two tasks await at once: the second is told, and the first gets the bytes") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 16> buffer{};
        auto request = pair.ours.read(buffer);
        const auto awaits = [&]() -> task<std::size_t> {
            const std::size_t count = co_await std::move(request);
            co_return count;
        };
        auto first = spawn(awaits);
        auto second = spawn(awaits);
        co_await wait(second);
        const auto refused = co_await settled(std::move(second));
        CHECK(usage_of(refused) == errc::busy);
        CHECK_FALSE(first.is_done());
        CHECK(loop::current().counters().pending_operations == 1);
        co_await write_all(pair.theirs, as_bytes("hello"));
        const std::size_t count = co_await first;
        CHECK(as_text(const_bytes(buffer).first(count)) == "hello");
    };
    run(main);
}
