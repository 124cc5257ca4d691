// time.hpp - waiting for time to pass, and giving others a turn.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/timer_heap.hpp>

#include <chrono>
#include <string_view>
#include <utility>

namespace corun {

namespace detail {

/// Goes once through the ready queue.
class yield_awaiter : public waiter {
public:
    yield_awaiter() noexcept = default;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        t.resume_point = h;
        stand_in_queue(t);
    }
    void await_resume() {
        if (take_request())
            throw cancelled{};
    }
    interruption interrupt(task_state*&) noexcept override { return interruption::refused; }
    std::string_view what() const noexcept override { return "yield"; }

protected:
    void stand_in_queue(task_state& t) noexcept {
        // Nothing to wait on: a request stays with the task and is taken at the resumption.
        task_ = &t;
        core_of(*t.owner).schedule(t);
    }
    bool take_request() noexcept {
        task_state& t = *task_;
        task_ = nullptr;
        return std::exchange(t.must_cancel, false);
    }
};

/// Sleeps until a deadline. The task's own node is the timer's entry; when it is due, it runs once as that.
class sleep_awaiter final : public waiter {
public:
    explicit sleep_awaiter(time_point deadline) noexcept : when_(deadline.time_since_epoch().count()) {}
    explicit sleep_awaiter(duration d) noexcept : relative_(true), when_(d.count()) {}
    sleep_awaiter(sleep_awaiter&& other) noexcept : waiter(std::move(other)), relative_(other.relative_), when_(other.when_) {}
    ~sleep_awaiter() {
        if (timer_.is_armed())
            core_of(*task_->owner).disarm(timer_);
    }

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        begin(t);   // may throw: the task then goes on with the exception, as if it had not suspended
        t.resume_point = h;
    }
    void await_resume() {
        task_state& t = *task_;
        task_ = nullptr;
        if (std::exchange(t.must_cancel, false) || wait_state_ == wait_state::interrupted)
            throw cancelled{};
    }

    interruption interrupt(task_state*&) noexcept override;
    std::string_view what() const noexcept override { return "sleep"; }

private:
    void begin(task_state& t);
    static void due(entry&, loop*) noexcept;

    bool relative_ = false;
    clock::rep when_;
    timer_node timer_;
};

}

/// Gives every other ready task a turn; a request is delivered (asyncio.sleep(0)).
[[nodiscard]] inline detail::yield_awaiter yield() noexcept { return {}; }

/// Sleeps for at least `d`, counted from the await; not positive: as yield(). Never early. Cancelled: `cancelled` (asyncio.sleep).
template <class Rep, class Period>
[[nodiscard]] detail::sleep_awaiter sleep_for(std::chrono::duration<Rep, Period> d) noexcept(!std::chrono::treat_as_floating_point_v<Rep>) {
    return detail::sleep_awaiter(saturating_nanoseconds(d));
}

/// Sleeps until the loop's clock has reached `deadline`; a past one: as yield().
[[nodiscard]] inline detail::sleep_awaiter sleep_until(time_point deadline) noexcept { return detail::sleep_awaiter(deadline); }

}
