// io_awaiter.cpp - requests meet the kernel, and how errors are worded.
#include <corun/detail/io_awaiter.hpp>

namespace corun::detail {

void check_current_loop(std::uint64_t loop_id) {
    if (this_core().id != loop_id)
        throw_usage(errc::foreign_loop,
                    "this corun object belongs to another loop or another thread's loop and can't be used from this one; use "
                    "loop::post() to reach its loop");
}

interruption io_wait::interrupt(task_state*&) noexcept {
    if (state != operation_state::pending)
        return interruption::refused;
    // Asked once; the answer ends the wait.
    if (std::exchange(wait_state_, wait_state::interrupted) != wait_state::interrupted) {
        loop_core& core = core_of(*task_->owner);
        core.ask_backend();
        core.engine->cancel(*this);
    }
    return interruption::taken;
}

bool io_wait::resume_suspended() noexcept {
    task_state& t = *std::exchange(task_, nullptr);
    if (wait_state_ != wait_state::interrupted)
        return false;
    if (state == operation_state::idle || (has_failed() && failure() == std::errc::operation_canceled)) {
        t.must_cancel = false;   // several requests before the delivery are one exception (5.1)
        return true;
    }
    t.must_cancel = true;
    return false;
}

/// False if it could not be begun: the error is in the answer.
bool io_wait::perform_blocking() noexcept {
    state = operation_state::pending;
    perform_on_pool(*this);
    return state == operation_state::pending;
}

std::string_view io_wait::what() const noexcept {
    switch (kind) {
    case operation_kind::read: return "read";
    case operation_kind::write: return "write";
    case operation_kind::accept: return "accept";
    case operation_kind::connect: return "connect";
    case operation_kind::poll: return value == ready::writable ? "writable" : "readable";
    case operation_kind::shutdown: return "shutdown";
    }
    return "I/O";
}

/// Only the seam itself answers this to these kinds: one reader and one writer (8.2).
bool io_wait::is_busy() const noexcept { return failure() == std::errc::device_or_resource_busy; }

void io_wait::throw_if_busy() const {
    if (is_busy())
        throw_usage(errc::busy, "corun: another task already reads from (or writes to) this object; one reader and one writer at a time");
}

void io_wait::throw_failure() const {
    throw_if_busy();
    throw std::system_error(failure(), "corun: " + title());
}

std::exception_ptr io_wait::failure_pointer() const {
    try {
        throw_failure();
    } catch (...) {
        return std::current_exception();
    }
}

void io_wait::throw_no_task() { throw_usage(errc::not_started, "corun's I/O is awaited by a task; no task runs here"); }

}
