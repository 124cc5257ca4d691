// pool_calls.cpp - a loop's jobs go to its pool; in a simulation, which has no threads, they wait for their turn.
#include <corun/detail/debug.hpp>
#include <corun/detail/loop_core.hpp>
#include <corun/detail/pool_calls.hpp>

#include "threads/thread_pool.hpp"

#include <memory>

namespace corun::detail {

void start_on_pool(loop_core& core, pool_job& job) {
    if (!core.real_threads) {
        job.references.fetch_add(1, std::memory_order_relaxed);
        core.threads.calls.push_back(job);
        return;
    }
    if (!core.threads.pool)
        core.threads.pool = std::make_unique<thread_pool>(*core.inbox, core.threads.most);
    if (core.threads.pool->start(job) && core.debug)
        tell_of_full_pool(core, core.threads.pool->most());
}

bool withdraw_from_pool(loop_core& core, pool_job& job) noexcept {
    if (core.real_threads)
        return core.threads.pool->withdraw(job);
    if (job.begun)
        return false;
    job.link<queue_tag>::unlink();
    job.release();
    return true;
}

void make_next_call(loop_core& core) noexcept {
    auto& job = static_cast<pool_job&>(core.threads.calls.pop_front());
    job.begun = true;
    job.perform();
    core.schedule(job);
}

void drop_calls(loop_core& core) noexcept {
    while (!core.threads.calls.empty())
        static_cast<pool_job&>(core.threads.calls.pop_front()).release();
}

}
