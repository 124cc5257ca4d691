// waiter.hpp - a suspended task's place: what it waits for, and how a cancel request reaches it.
#pragma once

#include <cstdint>
#include <string_view>

namespace corun {

class loop;

namespace detail {
struct task_state;
}

/// What became of a cancel request at the await where a task stands (5.1).
enum class interruption : std::uint8_t {
    taken,       ///< the wait ends with `cancelled`, or with a kernel's effect that was first
    refused,     ///< the wait had already been given its answer: the request stays pending in the task
    passed_on,   ///< a join: the request goes to the task that is joined
};

/// Base of every awaiter that can suspend a task. Lives in the coroutine's frame; never copied, never moved while waiting.
class waiter {
public:
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    /// Called by cancel() on the loop's thread; `next` is set for interruption::passed_on.
    virtual interruption interrupt(detail::task_state*& next) noexcept = 0;

    /// What a task dump calls this wait: "sleep", "event", "read".
    virtual std::string_view what() const noexcept = 0;

    /// The task that stands here; null before the wait has begun.
    detail::task_state* waiting_task() const noexcept { return task_; }

protected:
    enum class wait_state : std::uint8_t { idle, waiting, given, interrupted };

    waiter() noexcept = default;
    waiter(waiter&& other) noexcept : task_(nullptr), wait_state_(wait_state::idle) { (void)other; }
    ~waiter() {
        if (task_)
            leave();
    }

    detail::task_state* task_ = nullptr;
    wait_state wait_state_ = wait_state::idle;

private:
    void leave() noexcept;   // a frame destroyed while it waits: takes the task's entry out of its queue
};

}
