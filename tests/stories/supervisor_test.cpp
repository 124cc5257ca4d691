// supervisor_test.cpp - children that crash take their generation with them and are begun again; every exception is heard of once.
#include "invariants.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t child_count = 4;
constexpr int steps_each = 4;

class crash : public std::runtime_error {
public:
    explicit crash(std::size_t number) : runtime_error("crash " + std::to_string(number)) {}
};

struct company {
    std::array<int, child_count> steps{};   // done, over all generations
    std::vector<std::string> thrown;        // their texts, all different
    std::multiset<std::string> heard;       // by the supervisor
    std::size_t most_at_once = 0;
    std::uint32_t crashes_left = 0;

    bool may_crash(scene& s, std::uint32_t one_in) const { return crashes_left > 0 && s.one_in(one_in); }
    [[noreturn]] void crash_now() {
        --crashes_left;
        const crash one(thrown.size());
        thrown.emplace_back(one.what());
        throw one;
    }
};

/// Fails on its own; nobody waits for it, so the hook hears of it.
task<> runs_errand(scene& s, company& c) {
    const scene::local here(s);
    co_await s.pause(s.up_to(2ms));
    if (c.crashes_left > 0)
        c.crash_now();
}

/// May fail, also when it is cancelled: then it is perhaps not the first, and a gather tells the hook.
task<> helps(scene& s, company& c) {
    const scene::local here(s);
    const auto left = co_await settled(s.pause(s.up_to(2ms)));
    if (c.may_crash(s, left.is_cancelled() ? 3 : 6))
        c.crash_now();
    left.rethrow();
}

task<> works(scene& s, company& c, std::size_t who) {
    const scene::local here(s);
    const auto cleans = [&s]() -> task<> { co_await s.pause(s.up_to(1ms)); };
    while (c.steps[who] < steps_each) {
        const std::uint32_t kind = s.choose(5);
        if (kind == 0)
            co_await s.pause(s.up_to(3ms));
        else if (kind == 1)
            co_await gather(helps(s, c), helps(s, c), helps(s, c));
        else if (kind == 2)
            co_await finally(helps(s, c), cleans);
        else if (kind == 3)
            co_await yield();
        else
            corun::spawn(runs_errand, std::ref(s), std::ref(c));
        if (c.may_crash(s, 5))
            c.crash_now();
        ++c.steps[who];
    }
}

/// Runs all children; the first that crashes ends the generation, those that crash while they end are heard of too.
task<bool> generation(scene& s, company& c) {
    std::vector<task_ref> children;
    const auto body = [&](task_group& g) -> task<> {
        for (std::size_t i = 0; i < child_count; ++i)
            children.push_back(s.watch(g.spawn(works, std::ref(s), std::ref(c), i)));
        co_return;
    };
    const auto left = co_await settled(with_task_group(body));
    for (const task_ref& child : children)
        must(child.is_done(), "a child outlived its group");
    if (left.has_value())
        co_return true;
    try {
        left.rethrow();
    } catch (const exception_group& group) {
        const std::size_t crashes = group.for_each<crash>([&c](const crash& one) { c.heard.insert(one.what()); });
        // A clean-up may have been cancelled after its body had crashed.
        must(crashes + group.count<cancelled>() == group.flatten().size(), "a group holds what nobody threw");
        c.most_at_once = std::max(c.most_at_once, crashes);
    }
    co_return false;
}

task<> story(scene& s) {
    s.bound = 1s;
    auto& c = s.make<company>();
    const std::uint32_t planned = c.crashes_left = s.choose(8);
    for (std::uint32_t crashed = 0;; ++crashed) {
        const bool finished = co_await generation(s, c);
        if (finished)
            break;
        must(crashed < planned, "a generation ended for nothing");
        s.saw("a crash");
    }
    co_await s.pause(5ms);   // errands
    if (c.most_at_once > 1)
        s.saw("two crashes at once");
    if (!s.reports().empty())
        s.saw("a crash for the hook");
    std::multiset<std::string> heard = c.heard;
    heard.insert(s.reports().begin(), s.reports().end());
    must(heard == std::multiset<std::string>(c.thrown.begin(), c.thrown.end()), "an exception was lost, or was heard of twice");
    for (const int steps : c.steps)
        must(steps == steps_each, "work was lost or done twice");
    s.expected_reports = c.thrown.size() - c.heard.size();
    must(s.alive() == 0, "somebody is left");
}

}

TEST_CASE("a supervisor hears of every crash once and begins again until the work is done, under a thousand seeds") {
    tell(story, {"a crash", "two crashes at once", "a crash for the hook"});
}
