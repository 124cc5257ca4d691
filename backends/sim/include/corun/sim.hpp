// sim.hpp - a deterministic backend: a virtual clock and a network in memory, with faults where they are asked for.
#pragma once

#include <corun/backend.hpp>
#include <corun/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace corun {

/// What a simulated connection is like. All rates are "one in n"; 0 means never. Every setter returns the object.
class sim_link {
public:
    sim_link() noexcept = default;

    /// How long bytes, ends and connections are under way: at least `least`, at most `most`, drawn for each piece. Never out of order.
    sim_link& delay(duration least, duration most) noexcept {
        least_delay_ = least;
        most_delay_ = most;
        return *this;
    }
    sim_link& delay(duration d) noexcept { return delay(d, d); }

    /// Bytes a second in each direction; 0: no limit.
    sim_link& bandwidth(std::uint64_t bytes_per_second) noexcept {
        bandwidth_ = bytes_per_second;
        return *this;
    }

    /// A read or write moves at most this many bytes, drawn from 1; 0: as many as there are.
    sim_link& chunks(std::uint32_t most) noexcept {
        chunk_ = most;
        return *this;
    }

    /// Bytes under way or unread after which a sender has to wait; at least 1.
    sim_link& buffer(std::size_t size) noexcept {
        buffer_ = size;
        return *this;
    }

    /// One in n pieces is held up for as long as `most`, and all behind it.
    sim_link& stalls(std::uint32_t one_in, duration most) noexcept {
        stall_ = one_in;
        longest_stall_ = most;
        return *this;
    }

    /// One in n transfers finds the connection reset.
    sim_link& resets(std::uint32_t one_in) noexcept {
        reset_ = one_in;
        return *this;
    }

    /// After this many bytes in a direction the connection is gone; 0: never.
    sim_link& closes_after(std::size_t size) noexcept {
        close_at_ = size;
        return *this;
    }

    /// Connections that wait to be accepted, at most; at least 1.
    sim_link& backlog(std::size_t most) noexcept {
        backlog_ = most;
        return *this;
    }

private:
    friend class sim_options;
    friend struct sim_access;

    duration least_delay_{};
    duration most_delay_{};
    std::uint64_t bandwidth_ = 0;
    std::uint32_t chunk_ = 0;
    std::size_t buffer_ = 64 * 1024;
    std::uint32_t stall_ = 0;
    duration longest_stall_{};
    std::uint32_t reset_ = 0;
    std::size_t close_at_ = 0;
    std::size_t backlog_ = 4096;
};

/// What a simulation is like. Everything is off by default: without a fault, and with the ready queue in order. Copies are independent.
class sim_options {
public:
    sim_options() noexcept = default;

    /// Where the choices come from: the same seed, options and program give the same run, with every compiler.
    explicit sim_options(std::uint64_t seed) noexcept : seed_(seed) {}

    /// What connections are like, all of them or those of one listener's port.
    sim_options& link(const sim_link& l) {
        link_ = l;
        return *this;
    }
    sim_options& link(std::uint16_t port, const sim_link& l) {
        links_[port] = l;
        return *this;
    }

    /// Draws what connections are like, and the rates of everything below, from the seed; each fault stays off in half of the runs.
    sim_options& swarm() noexcept {
        swarm_ = true;
        return *this;
    }

    /// Runs ready tasks of a turn in a drawn order: finds programs that lean on the order.
    sim_options& shuffle_ready() noexcept {
        shuffle_ready_ = true;
        return *this;
    }

    /// Operations that finished together are told in a drawn order, and a cancel may meet data, or a connect's outcome, that just arrives.
    sim_options& shuffle_completions() noexcept {
        shuffle_completions_ = true;
        return *this;
    }

    /// One in n waits returns early, with nothing; 0: never.
    sim_options& spurious_wakes(std::uint32_t one_in) noexcept {
        spurious_ = one_in;
        return *this;
    }

    /// How many sockets may be open; the next is too_many_files_open.
    sim_options& descriptors(std::size_t most) noexcept {
        descriptors_ = most;
        return *this;
    }

    /// One in n operations is refused with no_buffer_space; 0: never.
    sim_options& memory_failures(std::uint32_t one_in) noexcept {
        memory_failure_ = one_in;
        return *this;
    }

    /// Takes the choices from a list instead of the seed; after its end every choice is 0, the harmless one.
    sim_options& replay(std::vector<std::uint32_t> choices) {
        replay_ = std::move(choices);
        is_replay_ = true;
        return *this;
    }

    std::uint64_t seed() const noexcept { return seed_; }

private:
    friend struct sim_access;

    std::uint64_t seed_ = 0;
    sim_link link_;
    std::map<std::uint16_t, sim_link> links_;
    std::vector<std::uint32_t> replay_;
    bool is_replay_ = false;
    bool swarm_ = false;
    bool shuffle_ready_ = false;
    bool shuffle_completions_ = false;
    std::uint32_t spurious_ = 0;
    std::uint32_t memory_failure_ = 0;
    std::size_t descriptors_ = SIZE_MAX;
};

namespace sim {
struct world;
}

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
