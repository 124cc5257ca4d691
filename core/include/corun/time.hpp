// time.hpp - waiting for time to pass, and giving others a turn.
#pragma once

#include <corun/clock.hpp>
#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/timer_heap.hpp>

#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

/// Goes once through the ready queue. No waiter: there is nothing to wait on, and a request stays with the task until it resumes.
class yield_awaiter {
public:
    yield_awaiter() noexcept = default;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_ = &suspending_task(h, where);
        task_->core->schedule(*task_);
    }
    void await_resume() {
        if (task_->take_request()) [[unlikely]]
            throw cancelled{};
    }

private:
    task_state* task_ = nullptr;
};

/// What yield() gives.
class [[nodiscard("nothing happens until it is awaited")]] yield_request {
public:
    yield_request() noexcept = default;
    yield_awaiter operator co_await() const noexcept { return {}; }
};

/// Sleeps until a deadline. The task's own node is the timer's entry; when it is due, it runs once as that.
class sleep_awaiter final : public waiter {
public:
    explicit sleep_awaiter(time_point deadline) noexcept : when_(deadline.time_since_epoch().count()) {}
    explicit sleep_awaiter(duration d) noexcept : relative_(true), when_(d.count()) {}
    sleep_awaiter(sleep_awaiter&& other) noexcept : waiter(std::move(other)), relative_(other.relative_), when_(other.when_) {}
    ~sleep_awaiter() {
        if (timer_.is_armed())
            waiting_task()->core->disarm(timer_);
    }

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        suspend(t);   // may throw: the task then goes on with the exception, as if it had not suspended
    }
    void await_resume() {
        if (take_request())
            throw cancelled{};
    }

    interruption interrupt(task_state*&) noexcept override;
    std::string_view what() const noexcept override { return "sleep"; }

private:
    void suspend(task_state& t);
    static void due(entry&, loop*) noexcept;

    bool relative_ = false;
    clock::rep when_;
    timer_node timer_;
};

}

/// Gives every other ready task a turn; a request is delivered (asyncio.sleep(0)).
inline detail::yield_request yield() noexcept { return {}; }

/// Sleeps for at least `d`, counted from the await; not positive: as yield(). Never early. Cancelled: `cancelled` (asyncio.sleep).
template <class Rep, class Period>
[[nodiscard("nothing happens until it is awaited")]] detail::sleep_awaiter
sleep_for(std::chrono::duration<Rep, Period> d) noexcept(!std::chrono::treat_as_floating_point_v<Rep>) {
    return detail::sleep_awaiter(saturating_nanoseconds(d));
}

template <class Number>
    requires std::is_arithmetic_v<Number>
detail::sleep_awaiter sleep_for(Number) {
    static_assert(!std::is_arithmetic_v<Number>, "corun: sleep_for() takes a duration: sleep_for(5s), with std::chrono_literals");
    return detail::sleep_awaiter(duration());
}

/// Sleeps until the loop's clock has reached `deadline`; a past one: as yield().
[[nodiscard("nothing happens until it is awaited")]] inline detail::sleep_awaiter sleep_until(time_point deadline) noexcept {
    return detail::sleep_awaiter(deadline);
}

}
