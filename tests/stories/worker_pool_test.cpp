// worker_pool_test.cpp - workers take jobs from a queue; some are cancelled in the middle; the queue is shut down, in peace or at once.
#include "invariants.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

using namespace corun;
using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t job_count = 16;
constexpr std::size_t worker_count = 3;

enum class fate : std::uint8_t { unmade, queued, at_work, done, given_up };

struct workshop {
    queue<std::size_t> jobs{2};
    std::vector<fate> fates{job_count, fate::unmade};
    std::size_t workers = 0;

    void change(std::size_t job, fate from, fate to) {
        must(fates[job] == from, "a job came to its end twice, or was never made");
        fates[job] = to;
    }
    std::size_t count(fate f) const { return static_cast<std::size_t>(std::count(fates.begin(), fates.end(), f)); }
};

task<> does(scene& s, std::size_t job) {
    if (job % 4 == 3) {
        const std::size_t answer = co_await to_thread([job] { return job * job; });
        must(answer == job * job, "another job's answer");
    } else {
        co_await s.pause(s.up_to(3ms));
    }
}

/// Ends when the queue does.
task<> works(scene& s, workshop& w) {
    const scene::local here(s);
    struct presence {
        explicit presence(std::size_t& n) noexcept : count(++n) {}
        ~presence() { --count; }
        std::size_t& count;
    } const present(w.workers);
    for (;;) {
        auto taken = co_await settled(w.jobs.get());
        if (taken.is_cancelled() || taken.threw<queue_shut_down>())
            co_return;
        const std::size_t job = taken.value();
        w.change(job, fate::queued, fate::at_work);
        const auto left = co_await settled(does(s, job));
        w.change(job, fate::at_work, left.has_value() ? fate::done : fate::given_up);
        w.jobs.task_done();
        if (left.is_cancelled())
            s.saw("a job given up");
        left.rethrow();
    }
}

/// Puts jobs until all are made or the queue is shut down.
task<> makes(scene& s, workshop& w) {
    const scene::local here(s);
    for (std::size_t job = 0; job < job_count; ++job) {
        if (s.one_in(3))
            co_await s.pause(s.up_to(2ms));
        const auto put = co_await settled(w.jobs.put(job));
        if (put.threw<queue_shut_down>()) {
            s.saw("a job refused");
            co_return;
        }
        put.rethrow();
        w.change(job, fate::unmade, fate::queued);
    }
}

/// Replaces workers that are asked to go.
task<> runs(scene& s, workshop& w, task_group& g) {
    std::vector<task_handle<>> workers;
    for (std::size_t i = 0; i < worker_count; ++i)
        workers.push_back(s.watch(g.spawn(works, std::ref(s), std::ref(w))));
    for (std::uint32_t left = s.choose(5); left > 0; --left) {
        co_await s.pause(s.up_to(6ms));
        auto& one = workers[s.choose(worker_count)];
        one.cancel();
        co_await wait(one);
        one = s.watch(g.spawn(works, std::ref(s), std::ref(w)));
    }
}

task<> story(scene& s) {
    s.bound = 1s;
    auto& w = s.make<workshop>();
    const auto body = [&](task_group& g) -> task<> {
        auto making = s.watch(g.spawn(makes, std::ref(s), std::ref(w)));
        auto running = s.watch(g.spawn(runs, std::ref(s), std::ref(w), std::ref(g)));
        if (s.one_in(2)) {
            co_await s.pause(s.up_to(20ms));
            w.jobs.shutdown(true);
            s.saw("a shut down at once");
        } else {
            co_await making;
            co_await running;
            co_await w.jobs.join();
            must(w.count(fate::done) + w.count(fate::given_up) == job_count, "join() came back before the last job was done");
            w.jobs.shutdown();
        }
    };
    co_await with_task_group(body);
    must(s.alive() == 0 && w.workers == 0, "a worker outlived its group");
    must(w.jobs.empty(), "a queue that was shut down kept a job");
    must(w.count(fate::at_work) == 0, "a job has no end");
}

}

TEST_CASE("a worker pool brings every job to one end, whoever is cancelled and however it is shut down, under a thousand seeds") {
    tell(story, {"a job given up", "a job refused", "a shut down at once"});
}
