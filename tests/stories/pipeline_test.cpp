// pipeline_test.cpp - three stages, a queue and a channel between them; stages are cancelled anywhere and begun again.
#include "invariants.hpp"

#include <optional>
#include <utility>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr int item_count = 12;

/// What outlives a stage that is cancelled.
struct pipeline {
    explicit pipeline(scene& s) : first(1 + s.choose(3)), second(make_channel<int>(1 + s.choose(3))) {}

    queue<int> first;
    std::pair<sender<int>, receiver<int>> second;
    int made = 0;                 // the next item; those before it are in the first queue or beyond
    std::optional<int> in_hand;   // of the second stage
    int sent = 0;
    int arrived = 0;
};

task<> makes(scene& s, pipeline& p) {
    const scene::local here(s);
    while (p.made < item_count) {
        co_await s.pause(s.up_to(2ms));
        co_await p.first.put(p.made);
        ++p.made;
    }
    p.first.shutdown();
}

task<> passes_on(scene& s, pipeline& p) {
    const scene::local here(s);
    for (;;) {
        if (!p.in_hand) {
            try {
                p.in_hand = co_await p.first.get();
            } catch (const queue_shut_down&) {
                p.second.first.close();
                co_return;
            }
        }
        co_await s.pause(s.up_to(2ms));
        co_await p.second.first.send(*p.in_hand);
        p.in_hand.reset();
        ++p.sent;
    }
}

task<> takes(scene& s, pipeline& p) {
    const scene::local here(s);
    while (const std::optional<int> item = co_await p.second.second.receive()) {
        must(*item == p.arrived, "an item was lost, doubled or overtaken");
        ++p.arrived;
        co_await s.pause(s.up_to(2ms));
    }
}

/// Runs a stage to its end, however often it is cancelled.
task<> tends(scene& s, pipeline& p, task<> (*stage)(scene&, pipeline&)) {
    const scene::local here(s);
    for (std::uint32_t cancels = s.choose(6);; --cancels) {
        auto running = s.spawn(stage, std::ref(s), std::ref(p));
        if (cancels == 0) {
            co_await running;
            co_return;
        }
        const std::uint32_t turns = s.choose(30);
        for (std::uint32_t i = 0; i < turns; ++i)
            co_await yield();
        if (s.one_in(2))
            co_await s.pause(s.up_to(5ms));
        const bool asked = running.cancel();
        co_await wait(running);
        // Items are made before they are in the queue, sent after they are in the channel.
        must(p.made == static_cast<int>(p.first.size()) + (p.in_hand ? 1 : 0) + p.sent, "an item is nowhere");
        if (running.is_cancelled())
            s.saw("a cancelled stage");
        else
            running.get();
        if (!running.is_cancelled())
            co_return;   // it had ended first, or came to its end before another await
        must(asked, "cancelled, but nobody asked");
    }
}

task<> story(scene& s) {
    s.bound = 1s;   // 12 items, each held up 3 times for 2 ms; 15 cancels, each after 5 ms
    auto& p = s.make<pipeline>(s);
    const auto body = [&](task_group& g) -> task<> {
        for (const auto stage : {&makes, &passes_on, &takes})
            s.watch(g.spawn(tends, std::ref(s), std::ref(p), stage));
        co_return;
    };
    co_await with_task_group(body);
    must(s.alive() == 0, "a child outlived its group");
    must(p.arrived == item_count && p.sent == item_count && !p.in_hand && p.first.empty(), "an item is missing");
}

}

TEST_CASE("a pipeline whose stages are cancelled and begun again loses and doubles nothing, under a thousand seeds") {
    tell(story, {"a cancelled stage"});
}
