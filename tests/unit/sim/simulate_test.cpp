// simulate_test.cpp - a failure is found among seeds, shrunk to its choices, and found again from them.
#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <corun/simulate.hpp>
#include <support/catch.hpp>
#include <support/trace.hpp>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a bug that needs one order in eight is found, shrunk to a few choices, and fails again from them") {
    const auto leans_on_order = [](sim_control&) -> task<> {
        std::string order;
        const auto notes = [&order](char name) -> task<> {
            order += name;
            co_return;
        };
        std::vector<task_handle<>> all;
        for (int round = 0; round < 3; ++round) {
            for (const char name : {'a', 'b'})
                all.push_back(spawn(notes, name));
            co_await sleep_for(1ms);
        }
        if (order == "bababa")
            throw std::runtime_error("everything is the other way round");
    };
    const sim_options shuffled = sim_options().shuffle_ready();
    std::optional<simulation_failure> found;
    try {
        simulate(seed_range(0, 1000), shuffled, leans_on_order);
    } catch (const simulation_failure& f) {
        found = f;
    }
    REQUIRE(found.has_value());
    CHECK(found->failure().find("everything is the other way round") != std::string::npos);
    CHECK(std::count(found->choices().begin(), found->choices().end(), 1u) == 3);
    CHECK(std::count(found->choices().begin(), found->choices().end(), 0u) + 3 == static_cast<long>(found->choices().size()));
    CHECK(std::string(found->what()).find("seed " + std::to_string(found->seed())) != std::string::npos);

    auto again = sim_options(found->seed()).shuffle_ready().replay(found->choices());
    sim_control control;
    CHECK_THROWS_WITH(run(run_options().with(make_sim(again, control)), leans_on_order, std::ref(control)),
                      "everything is the other way round");
}

TEST_CASE("a failure inside a group is shrunk as that failure, not as another one in a group") {
    const auto fails = [](sim_control& control) -> task<> {
        const std::uint32_t first = control.choose(10);
        const std::uint32_t second = control.choose(10);
        const auto child = [first, second]() -> task<> {
            if (first > 0 && second > 0)
                throw std::runtime_error("both");
            if (first > 0 || second > 0)
                throw std::runtime_error("one");
            co_return;
        };
        const auto body = [&child](task_group& g) -> task<> {
            g.spawn(child);
            co_return;
        };
        co_await with_task_group(body);
    };
    const sim_options none;
    std::uint64_t seed = 0;
    for (bool is_both = false; !is_both; ++seed) {
        try {
            simulate(seed_range(seed, 1), none, fails);
        } catch (const simulation_failure& f) {
            is_both = f.failure().find("both") != std::string::npos;
            if (is_both)
                CHECK(f.choices() == std::vector<std::uint32_t>{1, 1});
        }
    }
}

TEST_CASE("a deadlock is found by simulate, and names what the task waits for") {
    const auto stands_still = [](sim_control&) -> task<> {
        event never_set;
        co_await never_set.wait();
    };
    try {
        simulate(seed_range(7, 1), stands_still);
        FAIL("no deadlock");
    } catch (const simulation_failure& f) {
        CHECK(f.failure().find("deadlock") != std::string::npos);
        CHECK(f.failure().find("event") != std::string::npos);
        CHECK(f.choices().empty());
    }
}

TEST_CASE("what a program chooses comes from the seed, is repeated, and shrinks to the choice that matters") {
    const auto casts = [](std::uint64_t seed, std::vector<std::uint32_t> replayed = {}) {
        std::vector<std::uint32_t> cast;
        sim_options options(seed);
        if (!replayed.empty())
            options.replay(std::move(replayed));
        sim_control control;
        run(run_options().with(make_sim(options, control)), [&]() -> task<> {
            for (int i = 0; i < 20; ++i)
                cast.push_back(control.choose(6));
            CHECK(control.choose(1) == 0);
            co_return;
        });
        CHECK(control.choices() == cast);
        return cast;
    };
    const auto cast = casts(3);
    CHECK(*std::max_element(cast.begin(), cast.end()) == 5);
    CHECK(*std::min_element(cast.begin(), cast.end()) == 0);
    CHECK(cast == casts(3));
    CHECK(cast != casts(4));
    CHECK(cast == casts(4, cast));

    const auto dislikes_five = [](sim_control& control) -> task<> {
        const std::uint32_t first = control.choose(6);
        const std::uint32_t second = control.choose(6);
        if (first + second >= 5 && second == 5)
            throw std::runtime_error("five");
        co_return;
    };
    try {
        simulate(seed_range(0, 1000), sim_options(), dislikes_five);
        FAIL("no five in a thousand");
    } catch (const simulation_failure& f) {
        CHECK(f.choices() == std::vector<std::uint32_t>{0, 5});
    }
}
