// io_object.hpp - an open handle and the loop it belongs to, which it may outlive.
#pragma once

#include <corun/backend.hpp>
#include <corun/detail/io_awaiter.hpp>

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
    io_object(io_object&& other) noexcept : box_(std::exchange(other.box_, nullptr)), target_(std::exchange(other.target_, {})) {}
    io_object& operator=(io_object&& other) noexcept {
        if (this != &other) {
            (void)close();
            std::swap(box_, other.box_);
            std::swap(target_, other.target_);
        }
        return *this;
    }
    ~io_object();

    bool is_open() const noexcept { return core() != nullptr; }

    /// Its loop, or null if it is closed.
    loop_core* core() const noexcept;

    io_target target() const noexcept { return target_; }

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

    inbox* box_ = nullptr;
    io_target target_;
};

/// A descriptor of another maker becomes the current loop's.
io_object adopt_handle(native_handle, handle_kind, const char* title);

/// The rest of close(deadline): the object is closed already, this waits until its descriptor is.
class close_awaiter {
public:
    explicit close_awaiter(std::error_code e) noexcept : error_(e) {}

    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const {
        if (error_)
            throw std::system_error(error_, "corun: close");
    }
    result<void> answer() const noexcept { return error_; }

private:
    std::error_code error_;
};

}
