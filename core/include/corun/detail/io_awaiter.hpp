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

/// Does a blocking operation on the loop's thread pool; the card comes back through the inbox and resumes its task. If there
/// is no thread for it, it is finished with that error on return.
void perform_on_pool(operation&) noexcept;

/// Throws usage_error(errc::foreign_loop) unless the loop with this id runs on this thread.
void check_current_loop(std::uint64_t loop_id);

/// The part of an I/O wait that is the same for all: requests, and what became of them. `wait_state::interrupted` means that
/// a request went through this wait.
class io_wait : public operation {
public:
    io_wait(operation_kind k, handle h) noexcept : operation(k, h) {}

    interruption interrupt(task_state*&) noexcept override;
    std::string_view what() const noexcept override;

    /// What error messages call the operation; longer than what().
    virtual std::string title() const { return std::string(what()); }

    /// The error of the answer.
    std::error_code failure() const noexcept { return ended_with_ == std::errc() ? error_code() : std::make_error_code(ended_with_); }

protected:
    ~io_wait() = default;

    /// False if a request is pending or the budget is spent: then nothing is asked of the kernel before the suspension.
    static bool may_begin(const loop_core& core) {
        if (!core.current_task)
            throw_no_task();
        return !core.current_task->must_cancel && core.inline_left > 0;
    }

    /// Notes what the backend made of the operation; true if the answer is there.
    bool is_finished(loop_core& core, submitted s) noexcept {
        if (s == submitted::finished)
            return true;
        if (s == submitted::blocking)
            return !perform_blocking();
        ++core.pending_operations;
        return false;
    }

    /// For await_ready: true if the coroutine goes on without suspending.
    bool goes_on(loop_core& core, submitted s) noexcept { return is_finished(core, s) && core.may_go_on(); }

    void stand_here(task_state& t) noexcept {
        task_ = &t;
        t.waiting_on = this;
    }

    /// A request that was pending ends the wait before the kernel is asked; true if there was one.
    bool take_request(task_state& t) noexcept {
        if (!t.must_cancel)
            return false;
        t.must_cancel = false;
        wait_state_ = wait_state::interrupted;
        core_of(*t.owner).schedule(t);
        return true;
    }

    /// The answer is there, but goes through the queue.
    void pass_through_queue(task_state& t) noexcept {
        wait_state_ = wait_state::given;
        core_of(*t.owner).schedule(t);
    }

    /// Ends a wait that the backend does not know (any more) with an error of the core's own.
    void end_with(std::errc e) noexcept {
        ended_with_ = e;
        finish(0);
    }

    bool has_failed() const noexcept { return error != 0 || ended_with_ != std::errc(); }

    /// For await_resume: true if the wait ended with a request, which is hereby delivered.
    bool left_by_request() noexcept { return task_ && resume_suspended(); }

    [[noreturn]] void throw_failure() const;
    std::exception_ptr failure_pointer() const;
    void throw_if_busy() const;

private:
    bool perform_blocking() noexcept;
    bool resume_suspended() noexcept;
    bool is_busy() const noexcept;
    [[noreturn]] static void throw_no_task();

    std::errc ended_with_{};
};

/// An awaiter whose `start(core)` submits and whose `value()` makes a T of the answer.
template <class Self, class T>
class io_awaiter : public io_wait {
public:
    using io_wait::io_wait;

    bool await_ready() {
        loop_core& core = this_core();
        return may_begin(core) && goes_on(core, self().start(core));
    }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> h, await_place where = await_place::current()) {
        // Not at run time: the backend may have the operation already.
        static_assert(own_promise<Promise>, "corun's I/O is awaited in corun::task coroutines");
        task_state& t = suspending_task(h, where);
        t.resume_point = h;
        suspend(t);
    }

    T await_resume() {
        if (left_by_request())
            throw cancelled{};
        if (has_failed())
            throw_failure();
        return self().value();
    }

    /// The outcome as a value; never throws what await_resume() throws.
    outcome<T> settle() {
        if (left_by_request())
            return outcome<T>::of_cancelled();
        if (has_failed())
            return outcome<T>::of_error(failure_pointer());
        return outcome<T>::of_call([this]() -> T { return self().value(); });
    }

    /// Value or I/O error; throws `cancelled` and misuse.
    result<T> answer() {
        if (left_by_request())
            throw cancelled{};
        if (has_failed()) {
            throw_if_busy();
            return failure();
        }
        if constexpr (std::is_void_v<T>)
            return {};
        else
            return self().value();
    }

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }

    void suspend(task_state& t) noexcept {
        stand_here(t);
        if (state == operation_state::pending) {
            wait_state_ = wait_state::waiting;
        } else if (!take_request(t)) {
            loop_core& core = core_of(*t.owner);
            if (is_finished(core, self().start(core)))
                pass_through_queue(t);
            else
                wait_state_ = wait_state::waiting;
        }
    }
};

}
