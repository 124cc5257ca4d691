// to_thread.cpp - waiting for a pool job: its end, requests before and during it.
#include <corun/loop.hpp>
#include <corun/to_thread.hpp>

#include <utility>

namespace corun::detail {

void thread_job::come_back(entry& e, loop*) noexcept {
    auto& job = static_cast<thread_job&>(e);
    if (job.waiting)
        job.waiting->resume_with(thread_waiter::wait_state::given);
    job.release();
}

void thread_waiter::resume_with(wait_state s) noexcept {
    wait_state_ = s;
    job_->waiting = nullptr;
    core_of(*task_->owner).schedule(*task_);
}

bool thread_waiter::refuse_if_cancelled(task_state& t) noexcept {
    if (!std::exchange(t.must_cancel, false))
        return false;
    task_ = &t;
    t.waiting_on = this;
    wait_state_ = wait_state::interrupted;
    core_of(*t.owner).schedule(t);
    return true;
}

void thread_waiter::start(task_state& t, thread_job& job) {
    job_ = &job;   // its first reference is ours, also if no thread can be had
    start_on_pool(*t.owner, job);
    job.waiting = this;
    task_ = &t;
    t.waiting_on = this;
    wait_state_ = wait_state::waiting;
}

interruption thread_waiter::interrupt(task_state*&) noexcept {
    if (wait_state_ != wait_state::waiting)
        return interruption::refused;
    asked_ = true;
    job_->stop.request_stop();
    if (withdraw_from_pool(*task_->owner, *job_) || abandons_)
        resume_with(wait_state::interrupted);
    return interruption::taken;
}

void thread_waiter::check_end() {
    task_state& t = *std::exchange(task_, nullptr);
    if (wait_state_ == wait_state::interrupted)
        throw cancelled{};
    // The call has been made, so its answer comes first and the request next (5.5).
    if (asked_)
        t.must_cancel = true;
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
