// sim_link_test.cpp - what links and options of a simulation do to a connection, one by one.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct outcome_of_run {
    duration took{};
    std::uint64_t hash = 0;
};

/// Twenty bytes, each on its way alone, and how long they took by the simulation's clock.
outcome_of_run send_twenty(const sim_options& options) {
    outcome_of_run seen;
    sim_control control;
    run(run_options().with(make_sim(options, control)), [&]() -> task<> {
        auto pair = co_await connected_pair();
        const time_point began = loop::current().time();
        std::array<std::byte, 1> byte{};
        for (int i = 0; i < 20; ++i) {
            co_await write_all(pair.ours, byte);
            co_await read_exactly(pair.theirs, byte);
        }
        seen.took = loop::current().time() - began;
    });
    seen.hash = control.hash();
    return seen;
}

}

TEST_CASE("a link that stalls holds pieces up, no longer than it says, and the same ones for the same seed") {
    const sim_options plain(7);
    const sim_options stalling = sim_options(7).link(sim_link().stalls(2, 50ms));
    CHECK(stalling.seed() == 7);
    CHECK(send_twenty(plain).took == 0ms);
    const outcome_of_run stalled = send_twenty(stalling);
    CHECK(stalled.took > 0ms);
    CHECK(stalled.took <= 20 * 50ms);
    CHECK(send_twenty(stalling).hash == stalled.hash);
}

TEST_CASE("waits that return early with nothing change no outcome") {
    const outcome_of_run plain = send_twenty(sim_options(7).link(sim_link().delay(1ms)));
    const outcome_of_run spurious = send_twenty(sim_options(7).link(sim_link().delay(1ms)).spurious_wakes(2));
    CHECK(plain.took == 20ms);
    CHECK(spurious.took == 20ms);
}

TEST_CASE("a connect that finds the backlog full waits until a connection is accepted") {
    run(run_options().with(make_sim(sim_options(7).link(sim_link().backlog(1)))), []() -> task<> {
        auto listener = tcp_listener::bind(address::loopback());
        auto first = spawn(corun::connect(listener.local_address()));
        auto second = spawn(corun::connect(listener.local_address()));
        co_await sleep_for(1ms);
        CHECK(first.is_done());
        CHECK_FALSE(second.is_done());
        const auto taken = co_await listener.accept();
        const auto connected = co_await std::move(second);
        CHECK(connected.is_open());
        const auto next = co_await listener.accept();
        CHECK(next.is_open());
    });
}
