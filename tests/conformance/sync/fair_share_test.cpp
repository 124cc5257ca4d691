// fair_share_test.cpp - connections that always have data, and connections beside a task that works.
#include <corun/corun.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <support/turns.hpp>
#include <support/wrapped_backend.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

task<> floods(tcp_stream& s) {
    const std::vector<std::byte> piece(65536);
    for (;;)
        co_await s.write(piece);
}

task<> end_all(std::vector<task_handle<>>& tasks) {
    for (const auto& t : tasks)
        t.cancel();
    for (const auto& t : tasks)
        co_await wait(t);
}

}

TEST_CASE("LOOP-15 of eight connections that always have data none is read twice as often as another within 300 turns") {
    const auto main = []() -> task<> {
        std::vector<stream_pair> pairs;
        for (int i = 0; i < 8; ++i) {
            auto p = co_await connected_pair();
            pairs.push_back(std::move(p));
        }
        std::array<std::uint64_t, 8> reads{};
        const auto drains = [&](std::size_t i) -> task<> {
            std::array<std::byte, 16> buffer;   // a turn's reads take less than the peer has sent
            for (;;) {
                co_await pairs[i].ours.read(buffer);
                ++reads[i];
            }
        };
        std::vector<task_handle<>> tasks;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            tasks.push_back(spawn(floods, std::ref(pairs[i].theirs)));
            tasks.push_back(spawn(drains, i));
        }
        const auto begun_at = turn_number();
        while (turn_number() - begun_at < 300)
            co_await yield();
        const auto [least, most] = std::minmax_element(reads.begin(), reads.end());
        CHECK(*least >= 300);
        CHECK(*most <= 2 * *least);
        co_await end_all(tasks);
    };
    run(main);
}

namespace {

/// The default backend with a clock that only work moves, or the wait for a deadline: however busy the machine is, a step takes what
/// the case says.
class work_clock_backend final : public wrapped_backend {
public:
    struct state {
        time_point now{1h};
        std::uint64_t waits = 0;
    };
    explicit work_clock_backend(state& s) : state_(s) {}

    time_point now() const noexcept override { return state_.now; }
    waited wait(time_point deadline, operation_list& finished) noexcept override {
        ++state_.waits;
        return wrapped_backend::wait(deadline > state_.now ? deadline : time_point::min(), finished);
    }

private:
    state& state_;
};

/// How many echoes 64 connections get done beside 300 steps of a task that works for `work` in each of them.
std::uint64_t echoes_beside(duration work, std::uint64_t& waits_in_steps) {
    constexpr int steps = 300;
    std::uint64_t echoes = 0;
    work_clock_backend::state clock;
    run(run_options().with(std::make_unique<work_clock_backend>(clock)), [&]() -> task<> {
        std::vector<stream_pair> pairs;
        for (int i = 0; i < 64; ++i) {
            auto p = co_await connected_pair();
            pairs.push_back(std::move(p));
        }
        const auto serves = [](tcp_stream& s) -> task<> {
            std::array<std::byte, 1> byte;
            for (;;) {
                co_await s.read(byte);
                co_await s.write(byte);
            }
        };
        const auto asks = [&](tcp_stream& s) -> task<> {
            std::array<std::byte, 1> byte;
            for (;;) {
                co_await s.write(as_bytes("x"));
                co_await s.read(byte);
                ++echoes;
            }
        };
        std::vector<task_handle<>> tasks;
        for (auto& p : pairs) {
            tasks.push_back(spawn(serves, std::ref(p.theirs)));
            tasks.push_back(spawn(asks, std::ref(p.ours)));
        }
        const auto works = [&](int times) -> task<> {
            for (int i = 0; i < times; ++i) {
                clock.now += work;
                co_await yield();
            }
        };
        co_await works(200);   // the loop has seen how long its steps are
        echoes = 0;
        waits_in_steps = clock.waits;
        co_await works(steps);
        waits_in_steps = clock.waits - waits_in_steps;
        co_await end_all(tasks);
    });
    return echoes;
}

}

// Requests a second, in a time that is made of the task's steps. The comparison is with steps of a whole second: after each of them
// every loop polls, which is checked.
TEST_CASE("LOOP-16 beside a task that yields after 100 us of work 64 connections get 0.8 of the echoes that a poll each turn gives them") {
    std::uint64_t waits = 0;
    const auto with_a_poll_each_turn = echoes_beside(1s, waits);
    REQUIRE(waits >= 300);
    REQUIRE(with_a_poll_each_turn >= 64 * 50);
    const auto beside_short_steps = echoes_beside(100us, waits);
    INFO(waits << " waits, " << beside_short_steps << " of " << with_a_poll_each_turn);
    CHECK(10 * beside_short_steps >= 8 * with_a_poll_each_turn);
}

TEST_CASE("LOOP-16 after a thousand quick turns, steps of 10 ms hold a timer up for a few of them, not for as many as quick ones") {
    work_clock_backend::state clock;
    run(run_options().with(std::make_unique<work_clock_backend>(clock)), [&clock]() -> task<> {
        for (int i = 0; i < 1000; ++i)
            co_await yield();
        bool fired = false;
        loop::current().call_after(1ms, [&fired] { fired = true; });
        co_await yield();   // it is armed, and the loop has waited
        int steps = 0;
        while (!fired) {
            ++steps;
            clock.now += 10ms;
            co_await yield();
        }
        CHECK(steps <= 9);
    });
}
