// io_object.hpp - an open handle and the loop it belongs to, which it may outlive.
#pragma once

#include <corun/backend.hpp>
#include <corun/detail/io_awaiter.hpp>
#include <corun/detail/request.hpp>
#include <corun/detail/timer_heap.hpp>

#include <cstdint>
#include <system_error>
#include <utility>

namespace corun::detail {

class inbox;

/// What a request needs of an object: it may outlive it.
struct io_target {
    handle where;
    std::uint64_t loop_id = 0;

    /// The handle, for use in the current loop. A closed one belongs to none: the backend refuses it.
    handle checked() const {
        if (where)
            check_current_loop(loop_id);
        return where;
    }
};

/// Owns a handle. Closed if default-made, moved from, or if its loop is. Belongs to its loop's thread.
class io_object {
public:
    io_object() noexcept = default;
    io_object(loop_core& core, handle h) noexcept;
    io_object(io_object&& other) noexcept : inbox_(std::exchange(other.inbox_, nullptr)), target_(std::exchange(other.target_, {})) {}
    io_object& operator=(io_object&& other) noexcept {
        if (this != &other) {
            (void)close();
            std::swap(inbox_, other.inbox_);
            std::swap(target_, other.target_);
        }
        return *this;
    }
    ~io_object();

    bool is_open() const noexcept { return core() != nullptr; }

    /// Its loop, or null if it is closed.
    loop_core* core() const noexcept;

    io_target target() const noexcept { return target_; }

    /// The handle, which is the caller's from now on; the object is closed.
    handle give_away() noexcept;

    /// Idempotent; pending operations end with operation_canceled or their real answer.
    std::error_code close() noexcept;

    /// backend::control(); a closed object answers bad_file_descriptor.
    std::error_code control(control_request&) const noexcept;

    /// The same; throws std::system_error that begins with `title`.
    void must(control_request&, const char* title) const;

    int option(socket_option, const char* title) const;
    void set_option(socket_option, int value, const char* title) const;
    address local_address() const;
    address remote_address() const;
    native_handle native() const;

    /// Gives the descriptor away; throws std::system_error and stays open if it can't.
    native_handle release();

private:
    void forget() noexcept;

    inbox* inbox_ = nullptr;
    io_target target_;
};

/// A descriptor of another maker becomes the current loop's.
io_object adopt_handle(native_handle, handle_kind, const char* title);

/// What a close that its deadline has cut short answers.
class close_wait : public io_wait {
public:
    using io_wait::io_wait;

protected:
    ~close_wait() = default;

    bool has_failed() noexcept {
        if (is_expired_ && error == native_code(std::errc::operation_canceled))
            error = native_code(std::errc::timed_out);
        return error != 0;
    }

    bool is_expired_ = false;
};

/// Waits until a handle's descriptor is closed; at its deadline that is left to the backend.
class close_awaiter final : public io_awaiter<close_awaiter, void, close_wait> {
public:
    close_awaiter(io_object&& o, time_point deadline)
        : io_awaiter(operation_kind::close, handle()), object_(std::move(o)), deadline_(deadline), expiry_(*this), timer_(expiry_) {
        (void)object_.target().checked();
    }
    ~close_awaiter() { end_deadline(); }

    submitted start(loop_core&) noexcept;
    void value() noexcept;

private:
    struct expiry : entry {
        explicit expiry(close_awaiter& a) noexcept : entry(&come), closing(a) {}
        static void come(entry&, loop* turning) noexcept;
        close_awaiter& closing;
    };

    void arm_deadline(loop_core&) noexcept;
    void end_deadline() noexcept;

    io_object object_;   // until it is awaited
    time_point deadline_;
    loop_core* core_ = nullptr;   // not null while the timer may be armed
    expiry expiry_;
    timer_node timer_;
};

/// `close(deadline)`: the object is closed already. One that is dropped before it is awaited closes the descriptor, too.
struct [[nodiscard("it is awaited for the descriptor's end; close() waits for nothing")]] close_request
    : request<close_awaiter, io_object, time_point> {
    using request::request;
};

}
