// io_awaiter.hpp - waiting for the kernel: an operation in the coroutine's frame. If the effect happened it is returned, and
// a request that came meanwhile is delivered at the next suspension (5.5).
#pragma once

#include <corun/detail/promise.hpp>
#include <corun/operation.hpp>
#include <corun/outcome.hpp>
#include <corun/result.hpp>

#include <coroutine>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace corun::detail {

/// Throws usage_error(errc::foreign_loop) unless the loop with this id runs on this thread.
void check_current_loop(std::uint64_t loop_id);

/// The part of an I/O wait that is the same for all: requests, and what became of them.
class io_wait : public operation {
public:
    io_wait(operation_kind k, handle h) noexcept : operation(k, h) {}

    interruption interrupt(task_state*&) noexcept override;
    std::string_view what() const noexcept override;
    bool is_lent() const noexcept override;

    /// What error messages call the operation; longer than what().
    virtual std::string title() const { return std::string(what()); }

protected:
    ~io_wait() = default;

    /// False if a request is pending or the budget is spent: then nothing is asked of the kernel before the suspension.
    static bool may_begin(const loop_core& core) {
        if (!core.current_task)
            throw_no_task();
        return !core.current_task->has_request() && core.inline_left.is_left();
    }

    /// True if the task now waits until others have had their turn.
    static constexpr bool joins_line(task_state&) noexcept { return false; }

    /// Notes what the backend made of the operation; true if the answer is there.
    bool is_finished(loop_core& core, submitted s) noexcept {
        if (s == submitted::finished)
            return true;
        ++core.figures.pending_operations;
        return s == submitted::blocking && !begin_on_pool(core);
    }

    /// For await_ready: true if the coroutine goes on without suspending.
    bool goes_on(loop_core& core, submitted s) noexcept { return is_finished(core, s) && core.may_go_on(); }

    /// The backend or the pool has it.
    bool is_under_way() const noexcept { return on_pool_ || state == operation_state::pending; }

    bool has_failed() const noexcept { return error != 0; }

    /// For await_resume: true if the wait ended with a request, which is hereby delivered.
    bool left() noexcept { return node_ && resume_suspended(); }

    [[noreturn]] void throw_failure() const;
    std::exception_ptr failure_pointer() const;
    void throw_if_busy() const;

private:
    friend struct operation_job;

    /// Has it performed on a thread of the pool; comes back through the inbox. False if there is no thread: finished with that error.
    bool begin_on_pool(loop_core&) noexcept;
    /// True if no thread had begun with it: finished with operation_canceled.
    bool withdraw(loop_core&) noexcept;
    void leave_pool(loop_core&) noexcept;

    bool resume_suspended() noexcept;
    [[noreturn]] static void throw_no_task();

protected:
    bool on_pool_ = false;   // the card is a thread's: nothing else of it may be looked at
};

/// An awaiter whose `start(core)` submits and whose `value()` makes a T of the answer. A Wait may have its own of what io_wait does.
template <class Self, class T, class Wait = io_wait>
class io_awaiter : public Wait {
public:
    using Wait::Wait;

    bool await_ready() {
        loop_core& core = this_core();
        return this->may_begin(core) && this->goes_on(core, self().start(core));
    }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        // Not at run time: the backend may have the operation already.
        static_assert(own_promise<Promise>, "corun's I/O is awaited in corun::task coroutines");
        self().suspend(suspending_task(h, where));
    }

    T await_resume() {
        if (this->left())
            throw cancelled{};
        if (this->has_failed())
            this->throw_failure();
        return self().value();
    }

    /// The outcome as a value; never throws what await_resume() throws.
    outcome<T> settle() {
        if (this->left())
            return outcome<T>::of_cancelled();
        if (this->has_failed())
            return outcome<T>::of_error(this->failure_pointer());
        return outcome<T>::of_call([this]() -> T { return self().value(); });
    }

    /// Value or I/O error; throws `cancelled` and misuse.
    result<T> answer() {
        if (this->left())
            throw cancelled{};
        if (this->has_failed()) {
            this->throw_if_busy();
            return this->error_code();
        }
        if constexpr (std::is_void_v<T>)
            return {};
        else
            return self().value();
    }

protected:
    ~io_awaiter() = default;

    void suspend(task_state& t) noexcept {
        this->to_schedule = &t;
        if (this->is_under_way())
            this->stand_here(t);
        else if (this->begin(t) && !this->joins_line(t) && this->is_finished(*t.core, self().start(*t.core)))
            this->end(waiter::wait_state::given);
    }

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
};

}
