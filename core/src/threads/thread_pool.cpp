// thread_pool.cpp - what pool threads share outlives the loop, as a job may.
#include "threads/thread_pool.hpp"

#include <corun/detail/inbox.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace corun::detail {

struct thread_pool::shared {
    explicit shared(inbox& i) noexcept : ends(&i) { i.add_reference(); }
    ~shared() { ends->release(); }

    void release() noexcept {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    /// Wakes the loop when the last thread has ended. While it is on its way it holds a reference: it lies in here.
    struct end_entry : entry {
        explicit end_entry(shared& s) noexcept : entry(&arrive), pool(s) {}
        static void arrive(entry& e, loop*) noexcept {
            shared& pool = static_cast<end_entry&>(e).pool;
            {
                const std::lock_guard lock(pool.mutex);
                pool.end_is_on_its_way = false;
            }
            pool.release();
        }
        shared& pool;
    };

    void post_end() noexcept;
    void work() noexcept;
    void perform(pool_job& job) noexcept;

    std::mutex mutex;
    std::condition_variable news;   // for threads: a job, or the end
    std::condition_variable ended;
    entry_list jobs;
    end_entry last_has_ended{*this};
    inbox* ends;
    std::size_t waiting_jobs = 0;
    std::size_t idle = 0;
    std::size_t threads = 0;
    bool stopping = false;
    bool end_is_on_its_way = false;
    std::atomic<std::uint32_t> references = 1;
};

void thread_pool::shared::perform(pool_job& job) noexcept {
    job.perform();
    if (!ends->push(job))
        job.release();   // the loop has gone; no task waits
}

void thread_pool::shared::post_end() noexcept {
    if (std::exchange(end_is_on_its_way, true))
        return;   // the loop sees this end too when it takes that one
    references.fetch_add(1, std::memory_order_relaxed);
    if (!ends->push(last_has_ended))
        references.fetch_sub(1, std::memory_order_relaxed);   // never the last: the thread holds one
}

void thread_pool::shared::work() noexcept {
    std::unique_lock lock(mutex);
    for (;;) {
        ++idle;
        news.wait(lock, [this] { return waiting_jobs > 0 || stopping; });
        --idle;
        if (waiting_jobs == 0)
            break;
        auto& job = static_cast<pool_job&>(jobs.pop_front());
        --waiting_jobs;
        job.begun = true;
        lock.unlock();
        perform(job);
        lock.lock();
    }
    if (--threads == 0) {
        ended.notify_all();
        post_end();
    }
    lock.unlock();
    release();
}

thread_pool::thread_pool(inbox& ends, std::size_t most)
    : shared_(new shared(ends)), most_(most > 0 ? most : std::min(32u, std::thread::hardware_concurrency() + 4)) {}

thread_pool::~thread_pool() {
    request_stop();
    const bool ended = has_ended();
    for (std::thread& t : threads_)
        ended ? t.join() : t.detach();
    shared_->release();
}

bool thread_pool::start(pool_job& job) {
    const std::lock_guard lock(shared_->mutex);
    const bool all_taken = shared_->idle <= shared_->waiting_jobs;
    const bool is_full = all_taken && shared_->threads >= most_;
    if (all_taken && !is_full) {
        try {
            shared_->references.fetch_add(1, std::memory_order_relaxed);
            threads_.emplace_back([s = shared_] { s->work(); });
            ++shared_->threads;
        } catch (...) {
            shared_->references.fetch_sub(1, std::memory_order_relaxed);
            if (shared_->threads == 0)
                throw;   // else a running thread comes to it
        }
    }
    job.references.fetch_add(1, std::memory_order_relaxed);
    shared_->jobs.push_back(job);
    ++shared_->waiting_jobs;
    shared_->news.notify_one();
    return is_full && !std::exchange(was_full_, true);
}

bool thread_pool::withdraw(pool_job& job) noexcept {
    std::unique_lock lock(shared_->mutex);
    if (job.begun)
        return false;
    job.link<queue_tag>::unlink();
    --shared_->waiting_jobs;
    lock.unlock();
    job.release();
    return true;
}

void thread_pool::request_stop() noexcept {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->news.notify_all();
}

bool thread_pool::has_ended() noexcept {
    const std::lock_guard lock(shared_->mutex);
    return shared_->threads == 0;
}

void thread_pool::wait_for_end(duration bound) noexcept {
    std::unique_lock lock(shared_->mutex);
    const auto no_thread = [this] { return shared_->threads == 0; };
    // wait_for adds to a clock that would overflow.
    if (bound > std::chrono::hours(24 * 365))
        shared_->ended.wait(lock, no_thread);
    else
        shared_->ended.wait_for(lock, bound, no_thread);
}

}
