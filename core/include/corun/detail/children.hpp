// children.hpp - children of one scope, and the wait of the task that opened it: what groups, gather and race have in common.
#pragma once

#include <corun/detail/memory_waiter.hpp>
#include <corun/detail/task_state.hpp>

#include <cstddef>
#include <string_view>

namespace corun::detail {

/// Counts children from their start to the bookkeeping after their end. Registered with the loop while it lives.
class child_scope : public scope {
public:
    class ended_awaiter;

    explicit child_scope(task_state& parent) noexcept;

    task_state& parent() const noexcept { return *parent_; }
    task_state& parent_task() const noexcept final { return *parent_; }
    std::size_t unfinished() const noexcept { return unfinished_; }
    void child_started() noexcept { ++unfinished_; }

    /// Asks every child that has not ended to end, in the order of their start.
    void cancel_children(const cancel_reason&) noexcept;

    /// Suspends until no child is unfinished; answers false if a request ended the wait. Never throws.
    ended_awaiter ended() noexcept;

protected:
    ~child_scope() = default;

    /// Bookkeeping of one child's end, without waking: the caller calls wake_parent() in the order it needs.
    void child_done() noexcept { --unfinished_; }
    void wake_parent() noexcept;

private:
    task_state* parent_;
    ended_awaiter* waiting_ = nullptr;
    std::size_t unfinished_ = 0;
};

class child_scope::ended_awaiter final : public memory_waiter {
public:
    ended_awaiter(child_scope& s, std::string_view what) noexcept : scope_(&s), what_(what) {}
    ~ended_awaiter() {
        if (scope_->waiting_ == this)
            scope_->waiting_ = nullptr;
    }

    bool await_ready() const noexcept { return scope_->unfinished_ == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        task_state& t = suspending_task(h, where);
        if (begin(t))
            scope_->waiting_ = this;
    }
    bool await_resume() noexcept {
        scope_->waiting_ = nullptr;
        return !take_request();
    }
    std::string_view what() const noexcept override { return what_; }

private:
    child_scope* scope_;
    std::string_view what_;
};

inline child_scope::ended_awaiter child_scope::ended() noexcept { return {*this, "children"}; }

inline void child_scope::wake_parent() noexcept {
    // One that a request has woken already resumes for that, in its place.
    if (waiting_ && waiting_->is_waiting())
        waiting_->give();
}

}
