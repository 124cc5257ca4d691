// memory_waiter.hpp - waiting for something in memory: a request wins until the waiter has resumed (5.4).
#pragma once

#include <corun/detail/promise.hpp>

namespace corun::detail {

/// Base of awaiters whose task stands, with its own queue node, in a list of a primitive or of a task.
class memory_waiter : public waiter {
public:
    memory_waiter() noexcept = default;
    memory_waiter(memory_waiter&&) noexcept = default;

    interruption interrupt(task_state*&) noexcept override {
        if (wait_state_ != wait_state::waiting)
            return interruption::refused;
        end_wait(wait_state::interrupted);
        return interruption::taken;
    }

    /// True until something has ended the wait.
    bool is_waiting() const noexcept { return wait_state_ == wait_state::waiting; }

    /// The wait is over: what was waited for is the waiter's from now on; it resumes in the next turn.
    void give() noexcept { end_wait(wait_state::given); }

    /// The primitive is being destroyed: the waiter resumes with operation_canceled.
    void abandon() noexcept {
        abandoned_ = true;
        end_wait(wait_state::given);
    }

protected:
    ~memory_waiter() = default;

    /// Begins the wait; the caller then links the task's node. False if a request was pending: then the wait has been
    /// ended by it already, and the caller links nothing.
    bool begin_wait(task_state& t) noexcept {
        task_ = &t;
        t.waiting_on = this;
        if (t.must_cancel) {
            t.must_cancel = false;
            wait_state_ = wait_state::interrupted;
            core_of(*t.owner).schedule(t);
            return false;
        }
        wait_state_ = wait_state::waiting;
        return true;
    }

    /// What was waited for is there, but the budget is spent: goes through the queue with it.
    void pass_through_queue(task_state& t) noexcept {
        task_ = &t;
        t.waiting_on = this;
        wait_state_ = wait_state::given;
        core_of(*t.owner).schedule(t);
    }

    /// For await_resume: true if this wait ended with a request, which is hereby delivered.
    bool ended_by_request() noexcept {
        if (!task_)
            return false;
        task_state& t = *task_;
        task_ = nullptr;
        if (t.must_cancel) {
            t.must_cancel = false;
            return true;
        }
        return wait_state_ == wait_state::interrupted;
    }

    bool was_given() const noexcept { return wait_state_ == wait_state::given; }
    bool was_abandoned() const noexcept { return abandoned_; }

    /// Throws if the primitive was destroyed under the waiter.
    void check_not_abandoned() const {
        if (abandoned_)
            throw_abandoned();
    }

private:
    void end_wait(wait_state s) noexcept {
        if (task_->link<queue_tag>::is_linked())
            task_->link<queue_tag>::unlink();
        wait_state_ = s;
        core_of(*task_->owner).schedule(*task_);
    }
    [[noreturn]] static void throw_abandoned();

    bool abandoned_ = false;
};

/// Tasks that wait in a primitive, first come, first served; the primitive belongs to the loop of the first of them (7).
class waiter_list {
public:
    waiter_list() noexcept = default;
    waiter_list(const waiter_list&) = delete;

    bool empty() const noexcept { return tasks_.empty(); }

    /// Throws usage_error(errc::foreign_loop) if another loop's task has waited here before, or none runs here. The host's code of a
    /// guest is as good as its tasks.
    void check_loop() const {
        if (loop_id_ != 0)
            check_same_loop();
    }
    void push_back(task_state& t) noexcept {
        loop_id_ = core_of(*t.owner).id;
        tasks_.push_back(t);
    }
    memory_waiter& front() noexcept { return waiter_of(static_cast<task_state&>(tasks_.front())); }

    /// Gives to all who wait now, in order of arrival.
    void give_all() noexcept {
        while (!empty())
            front().give();
    }
    /// For the primitive's destructor: reports that somebody waits, and ends their waits.
    void abandon_all(const char* primitive) noexcept;

private:
    static memory_waiter& waiter_of(task_state& t) noexcept { return static_cast<memory_waiter&>(*t.waiting_on); }
    void check_same_loop() const;

    entry_list tasks_;
    std::uint64_t loop_id_ = 0;
};

}
