// memory_waiter.hpp - waiting for something in memory: a request wins until the waiter has resumed (5.4).
#pragma once

#include <corun/detail/intrusive_list.hpp>
#include <corun/detail/promise.hpp>

#include <utility>

namespace corun::detail {

/// For a task that waited in a primitive that has been destroyed.
[[noreturn]] void throw_abandoned();

/// Base of awaiters whose task stands, with its own queue node, in a list of a primitive or of a task.
class memory_waiter : public waiter {
public:
    memory_waiter() noexcept = default;
    memory_waiter(memory_waiter&&) noexcept = default;

    interruption interrupt(task_state*&) noexcept override {
        if (!is_waiting())
            return interruption::refused;
        end(wait_state::interrupted);
        return interruption::taken;
    }

    /// True until something has ended the wait.
    bool is_waiting() const noexcept { return wait_state_ == wait_state::waiting; }

    /// The wait is over: what was waited for is the waiter's from now on; it resumes in the next turn.
    void give() noexcept { end(wait_state::given); }

protected:
    ~memory_waiter() = default;

    /// What was waited for is there, but the budget is spent: goes through the queue with it.
    void pass_through_queue(task_state& t) noexcept {
        wait_state_ = wait_state::given;
        go_through_queue(t);
    }

    bool was_given() const noexcept { return wait_state_ == wait_state::given; }

    /// Throws if the primitive was destroyed under the waiter.
    void check_not_abandoned() const {
        if (wait_state_ == wait_state::abandoned)
            throw_abandoned();
    }
};

struct woken_tag;

/// Base of the awaiters of primitives. One that was woken, or passed through the ready queue, with something of the primitive's hangs in it
/// until it resumes: a primitive that is destroyed before ends its wait, too (7).
class primitive_waiter : public memory_waiter, public link<woken_tag> {
public:
    primitive_waiter() noexcept = default;
    primitive_waiter(primitive_waiter&& other) noexcept : memory_waiter(std::move(other)), link<woken_tag>() {}

    /// The primitive is being destroyed: the waiter resumes with operation_canceled.
    void abandon() noexcept {
        if (is_waiting()) {
            end(wait_state::abandoned);
        } else {
            unlink();
            wait_state_ = wait_state::abandoned;
        }
    }

protected:
    ~primitive_waiter() {
        if (is_linked())
            unlink();
    }

    /// As waiter's; this is the resumption, before which the primitive may have gone.
    bool take_request() noexcept {
        if (is_linked())
            unlink();
        return memory_waiter::take_request();
    }
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
        loop_id_ = t.core->id;
        tasks_.push_back(t);
    }
    primitive_waiter& front() noexcept { return waiter_of(static_cast<task_state&>(tasks_.front())); }

    /// Gives to the first, which owes the primitive its resumption.
    void wake_front() noexcept {
        primitive_waiter& first = front();
        first.give();
        note_woken(first);
    }
    /// This one goes through the ready queue with something of the primitive's.
    void note_woken(primitive_waiter& w) noexcept { woken_.push_back(w); }

    /// Gives to all who wait now, in order of arrival, what needs the primitive no more.
    void give_all() noexcept {
        while (!empty())
            front().give();
    }
    /// For the primitive's destructor: reports that somebody waits, or was woken and has not resumed, and ends their waits.
    void abandon_all(const char* primitive) noexcept;

private:
    static primitive_waiter& waiter_of(task_state& t) noexcept { return static_cast<primitive_waiter&>(*t.waiting_on); }
    void check_same_loop() const;

    entry_list tasks_;
    intrusive_list<primitive_waiter, woken_tag> woken_;
    std::uint64_t loop_id_ = 0;
};

}
