// invariants.hpp - a whole program under a thousand seeds, and what must hold in each run whatever the program does.
//
// simulate() is told of a broken one by an exception: the run comes with its seed and the fewest choices that break it.
#pragma once

#include <corun/corun.hpp>
#include <corun/sim.hpp>
#include <corun/simulate.hpp>
#include <support/catch.hpp>
#include <support/hook_log.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace testing {

/// Something that must hold does not.
class broken : public std::logic_error {
public:
    using logic_error::logic_error;
};

inline void must(bool holds, const char* what) {
    if (!holds)
        throw broken(what);
}

/// One run of a story. Outlives it, as what it makes does: a story that fails leaves tasks behind, which shut down has to end.
class scene {
public:
    explicit scene(corun::sim_control& n) : net(n) {
        corun::loop::current().set_exception_hook([this](const corun::exception_report& r) { reports_.push_back(text_of(r.error)); });
    }
    scene(const scene&) = delete;

    corun::sim_control& net;

    /// One of 0 to n - 1; 0 is the harmless choice.
    std::uint32_t choose(std::uint32_t n) { return net.choose(n); }
    bool one_in(std::uint32_t n) { return choose(n) == n - 1; }
    corun::duration up_to(corun::duration most) { return most * choose(20) / 20; }

    /// Makes something that lives as long as the scene: what tasks share.
    template <class T, class... Args>
    T& make(Args&&... args) {
        auto made = std::make_shared<T>(std::forward<Args>(args)...);
        made_.push_back(made);
        return *made;
    }

    /// Notes what this run has been through.
    void saw(const std::string& what) { seen_.insert(what); }
    const std::set<std::string>& seen() const noexcept { return seen_; }

    /// An error of I/O has to have a cause: one of the faults that a simulation is made with.
    void blame(std::error_code e) {
        if (e == std::errc::connection_reset || e == std::errc::broken_pipe || e == std::errc::not_connected)
            saw("reset");   // the last is what shutdown() says of it
        else if (e == std::errc::no_buffer_space)
            saw("no memory");
        else if (e == std::errc::too_many_files_open)
            saw("no descriptors");
        else
            throw broken("an error without a cause: " + e.message());
    }

    /// Virtual time; it never goes back.
    corun::time_point time() {
        const corun::time_point t = corun::loop::current().time();
        must(t >= now_, "the clock went back");
        return now_ = t;
    }

    /// Sleeps; a timer is never early.
    corun::task<> pause(corun::duration d) {
        const corun::time_point from = time();
        co_await corun::sleep_for(d);
        must(time() - from >= d, "a timer was early");
    }

    /// Watches a task: its end must be told once.
    template <class Handle>
    Handle watch(Handle h) {
        const std::size_t index = ends_.size();
        ends_.push_back(0);
        h.on_done([this, index] { ++ends_[index]; });
        return h;
    }
    template <class F, class... Args>
    auto spawn(F&& f, Args&&... args) {
        return watch(corun::spawn(std::forward<F>(f), std::forward<Args>(args)...));
    }

    /// One in a frame is destroyed as often as that frame.
    class local {
    public:
        explicit local(scene& s) noexcept : scene_(s) { ++s.alive_; }
        local(const local&) = delete;
        ~local() { --scene_.alive_; }

    private:
        scene& scene_;
    };
    int alive() const noexcept { return alive_; }

    /// What the exception hook has been told of.
    const std::vector<std::string>& reports() const noexcept { return reports_; }

    /// What the story expects at its end; none and no bound unless it says so.
    std::size_t expected_reports = 0;
    corun::duration bound = corun::duration::max();

    /// The story is over and its frames are gone: so must be everything that it made.
    corun::task<> ends() {
        must(time() - began_ <= bound, "it took too long");
        for (int i = 0; i < 4; ++i)
            co_await corun::yield();   // callbacks of the last end, answers to the last close
        const corun::loop_counters left = corun::loop::current().counters();
        must(left.tasks == 1, "a task is left");
        must(left.pending_operations == 0, "an operation is left");
        must(left.armed_timers == 0, "a timer is left");
        must(left.open_handles == 0, "a handle is left open");
        must(left.live_frames == frames_ + 1, "a frame is left");   // this one is
        must(alive_ == 0, "what is in a frame was destroyed never or twice");
        for (const int end : ends_)
            must(end == 1, "the end of a task was not told once");
        if (reports_.size() != expected_reports)
            throw broken(std::to_string(reports_.size()) + " reports instead of " + std::to_string(expected_reports) +
                         (reports_.empty() ? "" : ", the last: " + reports_.back()));
    }

private:
    std::vector<int> ends_;
    std::vector<std::string> reports_;
    corun::time_point began_ = corun::loop::current().time();
    corun::time_point now_ = began_;
    std::size_t frames_ = corun::live_frames();
    int alive_ = 0;
    std::set<std::string> seen_;
    std::vector<std::shared_ptr<void>> made_;
};

/// Runs a story, a callable that takes a scene& and returns a task<>, under seeds 0 to 999, with every fault that swarm() draws. Twice:
/// the runs must be the same. What is named in `faults` must have been seen in some of the runs, or they prove little.
template <class Story>
void tell(const Story& story, std::initializer_list<const char*> faults) {
    std::map<std::string, int> runs_that_saw;
    std::unique_ptr<scene> now;
    const auto once = [&](corun::sim_control& net) -> corun::task<> {
        now = std::make_unique<scene>(net);
        co_await story(*now);
        co_await now->ends();
        for (const std::string& what : now->seen())
            ++runs_that_saw[what];
    };
    const corun::seed_range seeds(0, 1000);
    const std::uint64_t first = corun::simulate(seeds, once);
    for (const char* const fault : faults) {
        INFO(fault << ": seen in " << runs_that_saw[fault] << " of 1000 runs");
        CHECK(runs_that_saw[fault] > 0);
    }
    CHECK(corun::simulate(seeds, once) == first);
}

}
