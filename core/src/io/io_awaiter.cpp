// io_awaiter.cpp - requests meet the kernel, and how errors are worded.
#include <corun/backend.hpp>
#include <corun/detail/frame_pool.hpp>
#include <corun/detail/io_awaiter.hpp>
#include <corun/detail/pool_calls.hpp>

#include <new>
#include <system_error>

namespace corun::detail {

/// An operation that the backend can only do by blocking, on a thread of the pool. There its card is the core's.
struct operation_job final : pool_job {
    operation_job(io_wait& w, loop_core& l) noexcept : pool_job(&act_on, &come_back), waiting(w), core(l), via(*l.backend) {}

    static void act_on(pool_job& j, verb v) noexcept {
        auto& self = static_cast<operation_job&>(j);
        if (v == verb::perform) {
            self.via.perform(self.waiting);
        } else {
            self.~operation_job();
            free_block(&self, sizeof(operation_job));
        }
    }

    /// A loop that has given up has no use for the answer: the frame that holds the card may have been destroyed.
    static void come_back(entry& e, loop* turning) noexcept {
        auto& self = static_cast<operation_job&>(e);
        if (turning) {
            self.waiting.leave_pool(self.core);
            self.core.schedule(*self.waiting.to_schedule);
        } else {
            --self.core.figures.operations_on_pool;
        }
        self.release();
    }

    io_wait& waiting;
    loop_core& core;
    backend& via;
};

namespace {

/// Starts the job, which is the pool's alone from here.
operation_job& start_job(io_wait& w, loop_core& core) {
    auto* const made = ::new (allocate_block(sizeof(operation_job))) operation_job(w, core);
    try {
        start_on_pool(core, *made);
    } catch (...) {
        made->release();
        throw;
    }
    made->release();
    return *made;
}

/// The code of the exception that is being handled.
std::int32_t code_of_current_exception() noexcept {
    try {
        throw;
    } catch (const std::system_error& e) {
        return e.code().value();
    } catch (...) {
        return native_code(std::errc::not_enough_memory);
    }
}

}

void check_current_loop(std::uint64_t loop_id) {
    if (this_core().id != loop_id)
        throw_usage(errc::foreign_loop,
                    "this corun object belongs to another loop or another thread's loop and can't be used from this one; use "
                    "loop::post() to reach its loop");
}

interruption io_wait::interrupt(task_state*&) noexcept {
    if (!is_under_way())
        return interruption::refused;
    // Asked once; the answer ends the wait.
    if (std::exchange(wait_state_, wait_state::asked) != wait_state::asked) {
        loop_core& core = *waiting_task()->core;
        core.ask_backend();
        // One that a thread has begun with is waited for (5.7).
        if (!on_pool_)
            core.backend->cancel(*this);
        else if (withdraw(core))
            core.schedule(*to_schedule);
    }
    return interruption::taken;
}

bool io_wait::resume_suspended() noexcept { return take_request_after(has_failed() && error_code() == std::errc::operation_canceled); }

std::string_view io_wait::what() const noexcept {
    const kind_row& row = row_of(kind);
    if (row.directions != kind_row::as_wanted)
        return row.name;
    return wanted == ready::writable ? "writable" : "readable";
}

void io_wait::throw_if_busy() const {
    if (error == busy)   // one reader and one writer (8.2)
        throw_usage(errc::busy, "corun: another task already reads from (or writes to) this object; one reader and one writer at a time");
}

void io_wait::throw_failure() const {
    throw_if_busy();
    throw std::system_error(error_code(), "corun: " + title());
}

std::exception_ptr io_wait::failure_pointer() const {
    try {
        throw_failure();
    } catch (...) {
        return std::current_exception();
    }
}

void io_wait::throw_no_task() { throw_usage(errc::no_running_task, "corun's I/O is awaited by a task; no task runs here"); }

bool io_wait::begin_on_pool(loop_core& core) noexcept {
    on_pool_ = true;
    state = operation_state::on_pool;
    ++core.figures.operations_on_pool;
    try {
        job = &start_job(*this, core);
        return true;
    } catch (...) {
        answer_with(code_of_current_exception());
        leave_pool(core);
        return false;
    }
}

bool io_wait::withdraw(loop_core& core) noexcept {
    if (!withdraw_from_pool(core, *job))
        return false;
    answer_with(native_code(std::errc::operation_canceled));
    leave_pool(core);
    return true;
}

/// The card has its answer.
void io_wait::leave_pool(loop_core& core) noexcept {
    on_pool_ = false;
    state = operation_state::finished;
    next = nullptr;
    --core.figures.pending_operations;
    --core.figures.operations_on_pool;
    core.backend->take_back(*this);
}

bool io_wait::is_lent() const noexcept { return on_pool_ && !job->has_ended.load(std::memory_order_acquire); }

}
