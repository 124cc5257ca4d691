// errors.hpp - what corun throws.
#pragma once

#include <corun/version.hpp>

#include <corun/native_category.hpp>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace corun {

/// Misuse, by name (10).
enum class errc : std::uint8_t {
    nested_run,           ///< run() on a thread whose loop is running
    wrong_thread,         ///< a loop's object used on another thread
    foreign_loop,         ///< an object bound to another loop
    closed_loop,          ///< the loop has been closed
    group_not_active,     ///< spawn into a group that ends or has ended
    self_await,           ///< a task that awaits itself
    already_set,          ///< what happens once has happened
    not_locked,           ///< unlock of a free lock
    busy,                 ///< a second reader or writer of one object
    no_running_loop,      ///< no loop runs on this thread
    no_running_task,      ///< a loop may run here, but no task does: this is a callback, or outside the loop's steps
    already_awaited,      ///< a task that was awaited, spawned or moved from before
    empty_handle,         ///< a handle, or the end of a channel, that was moved from, closed or never given anything
    not_done,             ///< the result of a task that has not ended
    no_value,             ///< a task that ended without what it owes: a co_return of its value, or its `started`
    invalid_argument,     ///< no use can be made of this argument: a delay that is no number, a barrier for nobody
    no_default_backend,   ///< no backend was given, and the program links none
    too_many_calls,       ///< task_done() of more items than were put
};

/// The name of the misuse: "nested_run".
std::string_view to_string(errc) noexcept;

/// A mistake in the program, found by a compare. The text says what to do.
class usage_error : public std::logic_error {
public:
    usage_error(errc code, const std::string& what) : std::logic_error(what), code_(code) {}
    errc code() const noexcept { return code_; }

private:
    errc code_;
};

/// A request to this task to end, at the await where it stands (asyncio.CancelledError). No std::exception, so that
/// `catch (const std::exception&)` does not swallow it; final, so that it is recognised without being thrown again.
class cancelled final {};

/// The task that was joined ended because somebody else cancelled it.
class task_cancelled : public std::exception {
public:
    const char* what() const noexcept override;
};

/// A timeout's deadline came first (TimeoutError).
class timed_out : public std::exception {
public:
    const char* what() const noexcept override;
};

/// The resolver of a from_callback() was destroyed without an answer: see to it that each way of the operation calls it.
class broken_callback : public std::exception {
public:
    const char* what() const noexcept override;
};

/// run() was ended by an interrupt (KeyboardInterrupt); `signal()` is its number.
class interrupted : public std::exception {
public:
    explicit interrupted(int signal) noexcept : signal_(signal) {}
    int signal() const noexcept { return signal_; }
    const char* what() const noexcept override;

private:
    int signal_;
};

/// Nothing is runnable and nothing will come, but main has not ended; only on a backend that can know, simulation. The text
/// is the tree of tasks and what each waits for.
class deadlock : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// The system has no such backend, or does not let this process use it. The text says what to do.
class backend_unavailable : public std::system_error {
public:
    using system_error::system_error;
};

/// What debug mode found; it is never thrown, the exception hook is told of it.
class debug_warning : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

namespace detail {

[[noreturn]] void throw_usage(errc code, const char* what);

/// What kind of exception is being handled; asked in a catch block, never by throwing it again.
bool handling_cancelled() noexcept;

/// True if this exception is `cancelled`; for where it costs nothing to look again.
bool is_cancelled(const std::exception_ptr&) noexcept;

}

}
