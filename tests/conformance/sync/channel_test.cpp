// channel_test.cpp - SYN-12 for a queue with two ends: the last sender's end is the receiver's.
#include <corun/corun.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace corun;

TEST_CASE("SYN-12 a channel gives what was sent, in order, and ends after its last sender") {
    std::vector<int> got;
    run([&got]() -> task<> {
        auto [out, in] = make_channel<int>(2);
        const auto sends = [](sender<int> to, int from) -> task<> {
            for (int i = from; i < from + 5; ++i)
                co_await to.send(i);
        };
        auto first = spawn(sends, out, 10);
        auto second = spawn(sends, std::move(out), 20);
        for (;;) {
            const std::optional<int> item = co_await in.receive();
            if (!item)
                break;
            got.push_back(*item);
        }
        CHECK(first.is_done());
        CHECK(second.is_done());
        const std::optional<int> after = co_await in.receive();
        CHECK_FALSE(after.has_value());
    });
    std::sort(got.begin(), got.end());
    CHECK(got == std::vector<int>{10, 11, 12, 13, 14, 20, 21, 22, 23, 24});
}

TEST_CASE("SYN-12 a sender whose receiver goes gets channel_closed, also while it waits for room") {
    std::string seen;
    run([&seen]() -> task<> {
        auto [out, in] = make_channel<int>(1);
        const auto sends = [&seen](sender<int> to) -> task<> {
            try {
                co_await to.send(1);
                co_await to.send(2);
            } catch (const channel_closed&) {
                seen += "waiting ";
            }
            try {
                (void)to.try_send(3);
            } catch (const channel_closed&) {
                seen += "newcomer";
            }
        };
        auto sending = spawn(sends, std::move(out));
        for (int i = 0; i < 4; ++i)
            co_await yield();
        in.close();
        co_await sending;
    });
    CHECK(seen == "waiting newcomer");
}

TEST_CASE("SYN-14 a receiver that is cancelled in the turn its item arrived leaves it to the next receive") {
    std::optional<int> kept;
    run([&kept]() -> task<> {
        auto [out, in] = make_channel<int>();
        const auto receives = [](receiver<int>& from) -> task<std::optional<int>> {
            auto item = co_await from.receive();
            co_return item;
        };
        auto waiting = spawn(receives, std::ref(in));
        co_await yield();
        co_await yield();
        CHECK(out.try_send(7));
        waiting.cancel();
        co_await wait(waiting);
        CHECK(waiting.is_cancelled());
        kept = in.try_receive();
    });
    CHECK(kept == 7);
}

TEST_CASE("SYN-46 both ends of a channel may be closed or destroyed while tasks stand in send and receive") {
    run([]() -> task<> {
        auto ends = std::make_unique<std::pair<sender<int>, receiver<int>>>(make_channel<int>(1));
        std::optional<int> got = 7;
        auto reads = spawn([&got](receiver<int>& from) -> task<> { got = co_await from.receive(); }, std::ref(ends->second));
        co_await yield();
        co_await yield();
        SECTION("closed") {
            ends->first.close();
            ends->second.close();
        }
        SECTION("destroyed") { ends.reset(); }
        co_await reads;
        CHECK(got == std::nullopt);

        ends = std::make_unique<std::pair<sender<int>, receiver<int>>>(make_channel<int>(1));
        std::string failure;
        const auto sends = [&failure](sender<int>& to) -> task<> {
            try {
                co_await to.send(1);
                co_await to.send(2);
            } catch (const channel_closed& e) {
                failure = e.what();
            }
        };
        auto writes = spawn(sends, std::ref(ends->first));
        co_await yield();
        co_await yield();
        ends.reset();
        co_await writes;
        CHECK_FALSE(failure.empty());
    });
}

TEST_CASE("SYN-46 a sender that is closed by its own side while it sends is told so") {
    run([]() -> task<> {
        auto [out, in] = make_channel<int>(1);
        REQUIRE(out.try_send(1));
        std::string own;
        const auto sends = [](sender<int>& to, std::string& failure) -> task<> {
            try {
                co_await to.send(2);
            } catch (const channel_closed& e) {
                failure = e.what();
            }
        };
        auto writes = spawn(sends, std::ref(out), std::ref(own));
        co_await yield();
        co_await yield();
        out.close();
        co_await writes;
        CHECK(own.find("the sender was closed") != std::string::npos);
        CHECK(in.try_receive() == 1);

        auto [to, from] = make_channel<int>(1);
        from.close();
        std::string other;
        co_await sends(to, other);
        CHECK(other.find("the receiver of this channel has gone") != std::string::npos);
    });
}
