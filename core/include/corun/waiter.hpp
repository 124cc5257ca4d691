// waiter.hpp - a suspended task's place: what it waits for, how that ends, and how a cancel request reaches it.
#pragma once

#include <corun/detail/waiting_node.hpp>

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

/// Base of every awaiter that can suspend a task, and the one owner of what is known of the wait. Lives in the coroutine's frame; never
/// copied, never moved while waiting.
class waiter {
public:
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    /// Called by cancel() on the loop's thread; `next` is set for interruption::passed_on.
    virtual interruption interrupt(detail::task_state*& next) noexcept = 0;

    /// What a task dump calls this wait: "sleep", "event", "read".
    virtual std::string_view what() const noexcept = 0;

    /// The task whose end this waits for; null if it waits for something else.
    virtual detail::task_state* joined() const noexcept { return nullptr; }

    /// True while a pool thread may use what the frame holds, which must stay until then.
    virtual bool is_lent() const noexcept { return false; }

    /// The task that stands here; null before the wait has begun.
    inline detail::task_state* waiting_task() const noexcept;

protected:
    enum class wait_state : std::uint8_t {
        idle,   ///< not begun, or ready at once
        waiting,
        asked,         ///< a request went on to the kernel, the thread or the task that answers; the answer ends the wait
        given,         ///< what was waited for is there
        interrupted,   ///< a request ended the wait
        abandoned,     ///< what was waited for went away: operation_canceled
    };

    waiter() noexcept = default;
    waiter(waiter&&) noexcept {}
    ~waiter() {
        if (node_)
            leave();
    }

    // How a wait begins. Defined in detail/waiting.hpp, as waiting_task() and what follows.

    /// Takes a request that is pending, which ends the wait before it has begun; false if there is none.
    inline bool begin_interrupted(detail::task_state&) noexcept;

    /// The task stands here from now on.
    inline void stand_here(detail::task_state&) noexcept;

    /// Both: false if a request has ended the wait.
    inline bool begin(detail::task_state&) noexcept;

    /// There is nothing to wait for: goes once through the ready queue. A request stays with the task until it resumes.
    inline void go_through_queue(detail::task_state&) noexcept;

    // How it ends.

    /// Takes the task out of where it waits and makes it ready.
    inline void end(wait_state) noexcept;

    /// The answer has come; whether a request had gone on before is for the resumption to know.
    inline void end_with_answer() noexcept;

    // At the resumption; nothing if the wait was ready at once.

    /// Of a wait in memory: true if a request ended it, or came before the task has resumed; hereby delivered (5.4).
    inline bool take_request() noexcept;

    /// Of a wait for an effect, which is told of before the request (5.5): true if a request ended the wait, or was passed on and
    /// `is_cancelled` is the answer; hereby delivered. One that the answer was faster than is pending again.
    inline bool take_request_after(bool is_cancelled) noexcept;

    detail::waiting_node* node_ = nullptr;   // the task's
    wait_state wait_state_ = wait_state::idle;

private:
    friend detail::task_state;

    void leave() noexcept;   // a frame destroyed while it waits: takes the task's entry out of its queue
};

}
