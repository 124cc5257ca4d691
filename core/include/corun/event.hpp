// event.hpp - a flag that tasks can wait for.
#pragma once

#include <corun/detail/memory_waiter.hpp>

namespace corun {

/// Wakes every waiter, in order of arrival, when it is set. Stays set until clear() (asyncio.Event). Belongs to the loop
/// of its first waiter, for life; may be made before.
class event {
public:
    class awaiter;

    event() noexcept = default;
    /// One that is set from the beginning, if `set`.
    explicit event(bool set) noexcept : set_(set) {}
    event(const event&) = delete;
    ~event() { waiters_.abandon_all("event"); }

    /// True from set() until clear().
    bool is_set() const noexcept { return set_; }

    /// Makes every waiter ready; resumes none here. Loop's thread.
    void set() {
        waiters_.check_loop();
        set_ = true;
        waiters_.give_all();
    }

    /// The next wait() waits again; tasks that were made ready go on.
    void clear() noexcept { set_ = false; }

    /// Waits until the event is set; at once if it is. A request ends the wait with `cancelled`.
    [[nodiscard("nothing happens until it is awaited")]] awaiter wait() noexcept;

private:
    detail::waiter_list waiters_;
    bool set_ = false;
};

/// The wait for an event; may be moved until it is awaited.
class event::awaiter final : public detail::primitive_waiter {
public:
    explicit awaiter(event& e) noexcept : event_(&e) {}

    bool await_ready() const {
        event_->waiters_.check_loop();
        return event_->set_ && detail::this_core().may_go_on();
    }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, detail::await_place where = detail::await_place::current()) {
        detail::task_state& t = detail::suspending_task(h, where);
        if (event_->set_)
            pass_through_queue(t);
        else if (begin(t))
            event_->waiters_.push_back(t);
    }
    void await_resume() {
        if (take_request())
            throw cancelled{};
        check_not_abandoned();
    }
    std::string_view what() const noexcept override { return "event"; }

private:
    event* event_;
};

inline event::awaiter event::wait() noexcept { return awaiter(*this); }

}
