// world.hpp - what a simulation consists of, shared by its backend and those who hold a sim_control.
#pragma once

#include "choices.hpp"
#include "network.hpp"

#include <corun/sim.hpp>

namespace corun {

/// Reads what options say.
struct sim_access {
    static const sim_link& link(const sim_options& o) noexcept { return o.link_; }
    static sim_link& link(sim_options& o) noexcept { return o.link_; }
    static const sim_link& link(const sim_options& o, std::uint16_t port) noexcept {
        const auto found = o.links_.find(port);
        return found == o.links_.end() ? o.link_ : found->second;
    }
    static duration least_delay(const sim_link& l) noexcept { return l.least_delay_; }
    static duration most_delay(const sim_link& l) noexcept { return l.most_delay_; }
    static std::uint64_t bandwidth(const sim_link& l) noexcept { return l.bandwidth_; }
    static std::uint32_t chunk(const sim_link& l) noexcept { return l.chunk_; }
    static std::size_t buffer(const sim_link& l) noexcept { return l.buffer_ > 0 ? l.buffer_ : 1; }
    static std::uint32_t stall(const sim_link& l) noexcept { return l.stall_; }
    static duration longest_stall(const sim_link& l) noexcept { return l.longest_stall_; }
    static std::uint32_t reset(const sim_link& l) noexcept { return l.reset_; }
    static std::size_t close_at(const sim_link& l) noexcept { return l.close_at_; }
    static std::size_t backlog(const sim_link& l) noexcept { return l.backlog_; }
    static sim_options with_seed(sim_options o, std::uint64_t seed) noexcept {
        o.seed_ = seed;
        return o;
    }
    static bool is_swarm(const sim_options& o) noexcept { return o.swarm_; }
    static bool shuffles_ready(const sim_options& o) noexcept { return o.shuffle_ready_; }
    static bool shuffles_completions(const sim_options& o) noexcept { return o.shuffle_completions_; }
    static std::uint32_t spurious(const sim_options& o) noexcept { return o.spurious_; }
    static std::uint32_t memory_failure(const sim_options& o) noexcept { return o.memory_failure_; }
    static std::size_t descriptors(const sim_options& o) noexcept { return o.descriptors_; }
    static bool is_replay(const sim_options& o) noexcept { return o.is_replay_; }
    static const std::vector<std::uint32_t>& replay(const sim_options& o) noexcept { return o.replay_; }
};

namespace sim {

struct world {
    /// Begins anew.
    void begin(const sim_options& asked);

    /// Takes something that happened into the hash.
    void note(std::uint64_t what) noexcept {
        for (int i = 0; i < 8; ++i, what >>= 8)
            hash = (hash ^ (what & 0xff)) * 0x100000001b3;
    }

    sim_options options;
    choices chance;
    std::uint64_t hash = 0xcbf29ce484222325;
    time_point now{};
    network net{*this};

private:
    void draw_swarm();
};

}

}
