// replay_fuzz.cpp - bytes are a simulation's options and its list of choices: any list is a run, the same one each time.
#include "input.hpp"

#include <corun/corun.hpp>
#include <corun/sim.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace corun;
using namespace std::chrono_literals;

namespace {

sim_link read_link(fuzz::input& in) {
    sim_link link;
    const auto least = std::chrono::milliseconds(in.below(8));
    link.delay(least, least + std::chrono::milliseconds(in.below(8)));
    link.bandwidth(in.below(4) * 10'000);
    link.chunks(in.below(4) * 7);
    link.buffer(1 + in.below(256));
    link.stalls(in.below(4), std::chrono::milliseconds(in.below(8)));
    link.resets(in.below(64));
    link.closes_after(in.below(4) * 100);
    link.backlog(1 + in.below(4));
    return link;
}

sim_options read_options(fuzz::input& in) {
    sim_options o(in.below(256));
    const unsigned flags = in.below(256);
    o.link(read_link(in));
    if (flags & 1)
        o.swarm();
    if (flags & 2)
        o.shuffle_ready();
    if (flags & 4)
        o.shuffle_completions();
    if (flags & 8)
        o.descriptors(2 + in.below(16));
    const unsigned spurious = in.below(8);
    o.spurious_wakes(spurious == 1 ? 0 : spurious);   // were each wait one, no time would ever pass
    o.memory_failures(in.below(64));
    std::vector<std::uint32_t> choices;
    while (!in.is_empty() && choices.size() < 2000)
        choices.push_back(in.below(256) * in.below(256));
    if (!choices.empty())
        o.replay(std::move(choices));
    return o;
}

/// Reads what one client sends until its end; errors of the connection are the simulation's.
task<> serves_one(tcp_listener& listener) {
    auto stream = co_await listener.accept();
    std::array<std::byte, 100> buffer;
    for (;;) {
        const std::size_t count = co_await stream.read(buffer);
        if (count == 0)
            break;
        co_await write_all(stream, const_bytes(buffer).first(count));
    }
}

task<> asks(address to) {
    auto stream = co_await connect(to);
    const std::string text(300, 'q');
    co_await write_all(stream, as_bytes(text));
    co_await stream.shutdown();
    std::array<std::byte, 100> buffer;
    while (co_await stream.read(buffer) > 0)
        co_await yield();
}

task<> program() {
    std::optional<tcp_listener> listener;
    try {
        listener = tcp_listener::bind(address::loopback());
    } catch (const std::system_error&) {
        co_return;
    }
    for (int i = 0; i < 2; ++i) {
        auto served = settled(timeout(200ms, serves_one(*listener)));
        auto asked = settled(timeout(200ms, asks(listener->local_address())));
        (void)co_await gather(std::move(served), std::move(asked));
    }
}

struct course {
    std::uint64_t hash = 0;
    std::vector<std::uint32_t> choices;
    bool operator==(const course&) const = default;
};

course run_once(const sim_options& options) {
    sim_control control;
    try {
        run(run_options().with(make_sim(options, control)), program);
    } catch (const std::exception&) {   // which one it is belongs to the course
    }
    return {control.hash(), control.choices()};
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input in({data, size});
    sim_options options = read_options(in);
    const std::size_t frames = live_frames();
    const course first = run_once(options);
    fuzz::must(run_once(options) == first, "the same options give the same run");
    fuzz::must(run_once(options.replay(first.choices)) == first, "the choices that were made, replayed, give the same run");
    fuzz::must(live_frames() == frames, "no frame is left");
    return 0;
}
