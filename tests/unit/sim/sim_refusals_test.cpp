// sim_refusals_test.cpp - what becomes of simulated operations where something is missing: memory, a listener, a link, an arrival.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <sim/engine/world.hpp>
#include <support/allocations.hpp>
#include <support/catch.hpp>
#include <support/connected_pair.hpp>
#include <unit/seam.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("without memory for its bytes a simulated write is refused, and the connection goes on") {
    if (!allocations_are_counted)
        return;
    run(run_options().with(make_sim(7)), []() -> task<> {
        auto pair = co_await connected_pair();
        std::array<std::byte, 3> data{};
        std::error_code refused;
        {
            const failing_allocation none(1);
            const auto written = co_await as_result(pair.ours.write(data));
            refused = written.error();
        }
        CHECK(refused == std::errc::not_enough_memory);
        co_await write_all(pair.ours, as_bytes("abc"));
        const std::string got = co_await read_some(pair.theirs);
        CHECK(got == "abc");
    });
}

TEST_CASE("a connect that waits for room in a backlog is refused when the listener is closed") {
    run(run_options().with(make_sim(sim_options(7).link(sim_link().backlog(1)))), []() -> task<> {
        auto listener = tcp_listener::bind(loopback());
        const auto connects = [](address to) -> task<std::error_code> {
            const auto connected = co_await as_result(corun::connect(to));
            co_return connected.error();
        };
        auto first = spawn(connects, listener.local_address());
        auto second = spawn(connects, listener.local_address());
        co_await sleep_for(1ms);
        CHECK(first.is_done());
        CHECK_FALSE(second.is_done());
        listener.close();
        const auto end = co_await second;
        CHECK(end == std::errc::connection_refused);
    });
}

TEST_CASE("of two partitions that end one after the other the first lets nothing of the second pass") {
    sim_control control;
    run(run_options().with(make_sim(sim_options(7), control)), [&control]() -> task<> {
        auto one = tcp_listener::bind(loopback(40001));
        auto other = tcp_listener::bind(loopback(40002));
        control.partition(40001);
        control.partition(40002);
        auto to_other = spawn(corun::connect(other.local_address()));
        auto to_one = spawn(corun::connect(one.local_address()));
        co_await sleep_for(1ms);
        control.heal(40001);
        co_await sleep_for(1ms);
        CHECK(to_one.is_done());
        CHECK_FALSE(to_other.is_done());
        control.heal(40002);
        co_await sleep_for(1ms);
        CHECK(to_other.is_done());
        (void)co_await settled(std::move(to_one));
        (void)co_await settled(std::move(to_other));
    });
}

TEST_CASE("an object whose facility can't let come early what it expects is cancelled as one that expects nothing") {
    class expectant final : public sim::object {
    public:
        bool read(operation&) override { return false; }
        bool expects() const noexcept override {
            ++asked;
            return true;
        }
        mutable int asked = 0;
    };
    sim_control control;
    const auto b = make_sim(sim_options(7).shuffle_completions(), control);
    auto made = std::make_unique<expectant>();
    const expectant& expects = *made;
    const handle h = control.state().names.add(std::move(made));
    constexpr int count = 20;
    for (int i = 0; i < count; ++i) {   // one half of them, as the seed has it, is to meet what comes
        seam::read_card r(h);
        REQUIRE(b->submit(r.o) == submitted::pending);
        CHECK(b->cancel(r.o));
        CHECK(seam::collect(*b) == std::vector<operation*>{&r.o});
        CHECK(r.o.error_code() == std::errc::operation_canceled);
    }
    CHECK(expects.asked == count);
    CHECK_FALSE(b->close(h));
}
