// to_thread.cpp - waiting for a pool job: its end, requests before and during it.
#include <corun/detail/pool_calls.hpp>
#include <corun/to_thread.hpp>

#include <utility>

namespace corun::detail {

void thread_job::come_back(entry& e, loop*) noexcept {
    auto& job = static_cast<thread_job&>(e);
    if (job.waiting)
        std::exchange(job.waiting, nullptr)->end_with_answer();
    job.release();
}

void thread_waiter::start(task_state& t, thread_job& job) {
    job_ = &job;   // its first reference is ours, also if no thread can be had
    start_on_pool(*t.core, job);
    job.waiting = this;
    stand_here(t);
}

interruption thread_waiter::interrupt(task_state*&) noexcept {
    if (!job_ || !job_->waiting)
        return interruption::refused;
    wait_state_ = wait_state::asked;
    job_->stop.request_stop();
    if (withdraw_from_pool(*waiting_task()->core, *job_) || abandons_) {
        job_->waiting = nullptr;
        end(wait_state::interrupted);
    }
    return interruption::taken;
}

void thread_waiter::check_end() {
    // The call has been made, so its answer comes first and the request next (5.5).
    if (take_request_after(false))
        throw cancelled{};
    if (job_->error)
        std::rethrow_exception(std::exchange(job_->error, nullptr));
}

void thread_waiter::let_go() noexcept {
    if (!job_)
        return;
    job_->waiting = nullptr;
    job_->release();
}

}
