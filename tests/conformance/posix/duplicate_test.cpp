// duplicate_test.cpp - a descriptor that has a duplicate when it is closed: its open file lives on, and the kernel may go on reporting it.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/counting_backend.hpp>
#include <support/os_descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

#include <fcntl.h>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

os::descriptor duplicate_of(const tcp_stream& s) {
    os::descriptor made(::fcntl(static_cast<int>(s.native_handle()), F_DUPFD_CLOEXEC, 0));
    REQUIRE(made);
    return made;
}

}

TEST_CASE("LOOP-09 a stream with a live duplicate is closed: no event reaches it, the loop sleeps, and the duplicate keeps working") {
    backend_calls calls;
    run(run_options().with(std::make_unique<counting_backend>(calls)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        std::error_code end;
        int ends = 0;
        const auto reads = [&]() -> task<> {
            std::array<std::byte, 64> buffer;
            const auto got = co_await as_result(pair.ours.read(buffer));
            end = got.error();
            ++ends;
        };
        auto reading = spawn(reads);
        co_await yield();
        REQUIRE(loop::current().counters().pending_operations == 1);   // the kernel watches it
        os::descriptor duplicate = duplicate_of(pair.ours);
        pair.ours.close();
        co_await reading;
        CHECK(end == std::errc::operation_canceled);

        pair.theirs.set_nodelay(true);
        // Each piece makes the open file readable anew. A loop that was told so would come back from its wait.
        const auto waits_of_sleeps = [&](bool beside_pieces) -> task<std::uint64_t> {
            const std::uint64_t before = calls.waits;
            for (int i = 0; i < 20; ++i) {
                if (beside_pieces)
                    co_await write_all(pair.theirs, as_bytes("x"));
                co_await sleep_for(1ms);
            }
            co_return calls.waits - before;
        };
        const auto without = co_await waits_of_sleeps(false);
        const auto with = co_await waits_of_sleeps(true);
        CHECK(without <= 100);   // no spin
        CHECK(with < without + 10);
        CHECK(ends == 1);

        auto second = tcp_stream::adopt(duplicate.get());
        (void)duplicate.release();
        std::array<std::byte, 20> pieces;
        co_await read_exactly(second, pieces);
        CHECK(as_text(pieces) == std::string(20, 'x'));
        // And once more where it has to wait.
        const auto waits_for_more = [&]() -> task<std::string> { return read_some(second); };
        auto waiting = spawn(waits_for_more);
        co_await yield();
        co_await write_all(pair.theirs, as_bytes("more"));
        const auto more = co_await waiting;
        CHECK(more == "more");
        CHECK(ends == 1);
    });
}

TEST_CASE("LOOP-09 the same where the original's number is used again, by another connection") {
    const auto main = []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        for (int i = 0; i < 100; ++i) {
            auto old = co_await connected_pair();
            const auto number = old.ours.native_handle();
            const auto reads_old = [&]() -> task<> {
                std::array<std::byte, 64> buffer;
                (void)co_await as_result(old.ours.read(buffer));
            };
            auto reading = spawn(reads_old);
            co_await yield();
            const os::descriptor duplicate = duplicate_of(old.ours);
            old.ours.close();
            co_await reading;

            auto successor = co_await connect(listener.local_address());
            REQUIRE(successor.native_handle() == number);
            auto peer = co_await listener.accept();
            const auto reads_new = [&]() -> task<std::string> { return read_some(successor); };
            auto next = spawn(reads_new);
            co_await yield();
            co_await write_all(old.theirs, as_bytes("for the duplicate"));
            for (int turn = 0; turn < 100; ++turn)
                co_await yield();
            REQUIRE_FALSE(next.is_done());
            co_await write_all(peer, as_bytes("new"));
            const auto got = co_await next;
            REQUIRE(got == "new");
        }
    };
    run(main);
}
