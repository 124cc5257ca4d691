// io_memory_test.cpp - what I/O costs in memory: nothing for an operation, little for a place where one may stand.
#include <corun/corun.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/scale.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

template <class... Requests>
constexpr bool move_only = ((std::is_move_constructible_v<Requests> && !std::is_copy_constructible_v<Requests>) && ...);

}

TEST_CASE("a steady echo allocates nothing for an operation") {
    if (under_sanitizer)
        return;   // each frame is a block of its own there
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        const auto echoes = [&]() -> task<> {
            std::array<std::byte, 64> buffer;
            for (;;) {
                const std::size_t count = co_await pair.theirs.read(buffer);
                if (count == 0)
                    break;
                co_await write_all(pair.theirs, const_bytes(buffer).first(count));
            }
        };
        auto echoing = spawn(echoes);
        std::array<std::byte, 64> buffer{};
        for (int i = 0; i < 1100; ++i) {
            // The first hundred rounds fill the free lists.
            std::optional<failing_allocation> none_allowed;
            if (i >= 100)
                none_allowed.emplace(1);
            co_await write_all(pair.ours, buffer);
            co_await read_exactly(pair.ours, buffer);
            if (none_allowed)
                REQUIRE_FALSE(none_allowed->has_failed());
        }
        co_await pair.ours.shutdown();
        co_await echoing;
    };
    run(main);
}

TEST_CASE("an error that is data costs no exception and no memory") {
    const auto main = []() -> task<> {
        auto pair = co_await connected_pair();
        pair.ours.close();
        std::array<std::byte, 8> buffer;
        const failing_allocation none_allowed(1);
        const auto got = co_await as_result(pair.ours.read(buffer));
        CHECK_FALSE(none_allowed.has_failed());
        CHECK_FALSE(got);
    };
    run(main);
}

TEST_CASE("spans are laid out as the seam's slices") {
    std::array<std::byte, 4> memory{};
    const bytes b(memory.data() + 1, 3);
    const const_bytes c(b);
    for (const void* span : {static_cast<const void*>(&b), static_cast<const void*>(&c)}) {
        io_slice s;
        std::memcpy(&s, span, sizeof s);
        CHECK(s.data == memory.data() + 1);
        CHECK(s.size == 3);
    }
}

TEST_CASE("awaiters of I/O are small: each place of a coroutine holds one") {
    CHECK(sizeof(detail::transfer_awaiter) <= 104);
    CHECK(sizeof(detail::kind_awaiter<detail::poll_kind>) <= 104);
    CHECK(sizeof(tcp_stream) <= 32);
}

TEST_CASE("what is asked for and not awaited yet moves only") {
    using read = decltype(std::declval<tcp_stream&>().read(bytes()));
    using accept = decltype(std::declval<tcp_listener&>().accept());
    using close = decltype(std::declval<tcp_stream&>().close(no_deadline));
    using connecting = decltype(connect(address()));
    using bounded = decltype(timeout(1s, as_result(std::declval<read>())));
    using waiting = decltype(wait(std::declval<task_handle<>&>()).within(1s));
    using called = decltype(abandon(to_thread([] {})));
    CHECK(move_only<read, accept, close, connecting, bounded, waiting, called>);
}

TEST_CASE("wrappers hold one copy of what they wrap") {
    using read = decltype(std::declval<tcp_stream&>().read(bytes()));
    using sleep = decltype(sleep_for(1s));
    CHECK(sizeof(detail::awaiter_of<decltype(settled(std::declval<read>()))>) <= 104);
    CHECK(sizeof(detail::awaiter_of<decltype(as_result(std::declval<read>()))>) <= 96);
    CHECK(sizeof(detail::awaiter_of<decltype(timeout(1s, std::declval<read>()))>) <= 176);
    CHECK(sizeof(detail::awaiter_of<decltype(timeout(1s, as_result(std::declval<read>())))>) <= 176);
    CHECK(sizeof(detail::awaiter_of<decltype(as_result(timeout(1s, std::declval<read>())))>) <= 176);
    CHECK(sizeof(detail::awaiter_of<decltype(timeout(1s, std::declval<sleep>()))>) <= 136);
}
