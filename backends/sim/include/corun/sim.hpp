// sim.hpp - a deterministic backend: a virtual clock and a network in memory, with faults where they are asked for.
#pragma once

#include <corun/backend.hpp>
#include <corun/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace corun {

namespace sim {

struct world;

/// What a sim_link says.
struct link_settings {
    duration least_delay{};
    duration most_delay{};
    std::uint64_t bandwidth = 0;
    std::uint32_t chunk = 0;
    std::size_t buffer = 64 * 1024;
    std::uint32_t stall = 0;
    duration longest_stall{};
    std::uint32_t reset = 0;
    std::size_t close_at = 0;
    std::size_t backlog = 4096;
};

/// What sim_options say.
struct settings {
    /// Those of the connections of a listener's port.
    const link_settings& link_of(std::uint16_t port) const noexcept {
        const auto found = links.find(port);
        return found == links.end() ? link : found->second;
    }

    std::uint64_t seed = 0;
    link_settings link;
    std::map<std::uint16_t, link_settings> links;
    std::optional<std::vector<std::uint32_t>> replay;
    bool swarm = false;
    bool shuffle_ready = false;
    bool shuffle_completions = false;
    std::uint32_t spurious = 0;
    std::uint32_t memory_failure = 0;
    std::size_t descriptors = SIZE_MAX;
};

}

/// What a simulated connection is like. All rates are "one in n"; 0 means never. Every setter returns the object.
class sim_link {
public:
    sim_link() noexcept = default;

    /// How long bytes, ends and connections are under way: at least `least`, at most `most`, drawn for each piece. Never out of order.
    sim_link& delay(duration least, duration most) noexcept {
        settings_.least_delay = least;
        settings_.most_delay = most;
        return *this;
    }
    sim_link& delay(duration d) noexcept { return delay(d, d); }

    /// Bytes a second in each direction; 0: no limit.
    sim_link& bandwidth(std::uint64_t bytes_per_second) noexcept {
        settings_.bandwidth = bytes_per_second;
        return *this;
    }

    /// A read or write moves at most this many bytes, drawn from 1; 0: as many as there are.
    sim_link& chunks(std::uint32_t most) noexcept {
        settings_.chunk = most;
        return *this;
    }

    /// Bytes under way or unread after which a sender has to wait; at least 1.
    sim_link& buffer(std::size_t size) noexcept {
        settings_.buffer = std::max<std::size_t>(size, 1);
        return *this;
    }

    /// One in n pieces is held up for as long as `most`, and all behind it.
    sim_link& stalls(std::uint32_t one_in, duration most) noexcept {
        settings_.stall = one_in;
        settings_.longest_stall = most;
        return *this;
    }

    /// One in n transfers finds the connection reset.
    sim_link& resets(std::uint32_t one_in) noexcept {
        settings_.reset = one_in;
        return *this;
    }

    /// After this many bytes in a direction the connection is gone; 0: never.
    sim_link& closes_after(std::size_t size) noexcept {
        settings_.close_at = size;
        return *this;
    }

    /// Connections that wait to be accepted, at most; at least 1.
    sim_link& backlog(std::size_t most) noexcept {
        settings_.backlog = most;
        return *this;
    }

    /// For corun's own pieces.
    const sim::link_settings& settings() const noexcept { return settings_; }

private:
    sim::link_settings settings_;
};

/// What a simulation is like. Everything is off by default: without a fault, and with the ready queue in order. Copies are independent.
class sim_options {
public:
    sim_options() noexcept = default;

    /// Where the choices come from: the same seed, options and program give the same run, with every compiler.
    explicit sim_options(std::uint64_t seed) noexcept { settings_.seed = seed; }

    /// What connections are like, all of them or those of one listener's port.
    sim_options& link(const sim_link& l) {
        settings_.link = l.settings();
        return *this;
    }
    sim_options& link(std::uint16_t port, const sim_link& l) {
        settings_.links[port] = l.settings();
        return *this;
    }

    /// Draws what connections are like, and the rates of everything below, from the seed; each fault stays off in half of the runs.
    sim_options& swarm() noexcept {
        settings_.swarm = true;
        return *this;
    }

    /// Runs ready tasks of a turn in a drawn order: finds programs that lean on the order.
    sim_options& shuffle_ready() noexcept {
        settings_.shuffle_ready = true;
        return *this;
    }

    /// Operations that finished together are told in a drawn order, and a cancel may meet data, or a connect's outcome, that just arrives.
    sim_options& shuffle_completions() noexcept {
        settings_.shuffle_completions = true;
        return *this;
    }

    /// One in n waits returns early, with nothing; 0: never.
    sim_options& spurious_wakes(std::uint32_t one_in) noexcept {
        settings_.spurious = one_in;
        return *this;
    }

    /// How many sockets may be open; the next is too_many_files_open.
    sim_options& descriptors(std::size_t most) noexcept {
        settings_.descriptors = most;
        return *this;
    }

    /// One in n operations is refused with no_buffer_space; 0: never.
    sim_options& memory_failures(std::uint32_t one_in) noexcept {
        settings_.memory_failure = one_in;
        return *this;
    }

    /// Takes the choices from a list instead of the seed; after its end every choice is 0, the harmless one.
    sim_options& replay(std::vector<std::uint32_t> choices) {
        settings_.replay = std::move(choices);
        return *this;
    }

    std::uint64_t seed() const noexcept { return settings_.seed; }

    /// For corun's own pieces.
    explicit sim_options(sim::settings settings) noexcept : settings_(std::move(settings)) {}
    const sim::settings& settings() const noexcept { return settings_; }

private:
    sim::settings settings_;
};

/// A hold on a simulation, during the run and after it. Copies name the same one; make_sim() fills it. Belongs to the loop's thread.
class sim_control {
public:
    sim_control();

    /// Nothing that is sent from now on gets through, on any connection or on those of one listener's port, until heal(); what is under way
    /// arrives. New connections wait.
    void partition();
    void partition(std::uint16_t port);

    /// What was held up is under way again.
    void heal();
    void heal(std::uint16_t port);

    /// One of 0 to n - 1, for what the program itself decides at random: drawn from the simulation's choices, so that replay() repeats it
    /// and a failure is shrunk in it too. Nothing is drawn for an n of 0 or 1. During the run.
    std::uint32_t choose(std::uint32_t n);

    /// A number made of everything that happened, in order: equal runs have equal ones, with every compiler.
    std::uint64_t hash() const noexcept;

    /// The choices that were made so far, for sim_options::replay().
    const std::vector<std::uint32_t>& choices() const noexcept;

    /// For make_sim().
    sim::world& state() const noexcept { return *world_; }
    const std::shared_ptr<sim::world>& shared() const noexcept { return world_; }

private:
    std::shared_ptr<sim::world> world_;
};

/// A backend without an operating system. Time stands still while something is runnable, then jumps to the next deadline or event of the
/// network; nothing to come while main is unfinished ends the run with corun::deadlock. TCP streams and listeners live in memory, at
/// loopback addresses. to_thread() calls are made on the loop's thread, when nothing else is runnable. Signals are left alone; adopt() and
/// native handles answer operation_not_supported.
std::unique_ptr<backend> make_sim(const sim_options& options = sim_options());

/// The same, with a seed and nothing else.
std::unique_ptr<backend> make_sim(std::uint64_t seed);

/// The same, with a hold on it. A control serves one simulation at a time.
std::unique_ptr<backend> make_sim(const sim_options& options, sim_control& control);

}
