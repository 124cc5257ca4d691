// winsock.hpp - sockets of Windows: made, asked, told; nothing here waits.
#pragma once

#include "windows.hpp"

#include <corun/backend.hpp>
#include <corun/result.hpp>

#include <system_error>
#include <utility>

namespace corun::iocp {

/// The code of a call that failed, in native_category().
std::error_code socket_error(int code) noexcept;

/// Owns a socket.
class socket_owner {
public:
    socket_owner() noexcept = default;
    explicit socket_owner(SOCKET owned) noexcept : socket_(owned) {}
    socket_owner(socket_owner&& other) noexcept : socket_(other.release()) {}
    socket_owner& operator=(socket_owner&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~socket_owner() {
        if (*this)
            ::closesocket(socket_);
    }

    explicit operator bool() const noexcept { return socket_ != INVALID_SOCKET; }
    SOCKET get() const noexcept { return socket_; }
    SOCKET release() noexcept { return std::exchange(socket_, INVALID_SOCKET); }

private:
    SOCKET socket_ = INVALID_SOCKET;
};

/// Calls that are no exports of a library, but asked of a socket.
struct extensions {
    LPFN_ACCEPTEX accept = nullptr;
    LPFN_CONNECTEX connect = nullptr;
    LPFN_GETACCEPTEXSOCKADDRS addresses = nullptr;
};

/// Sockets are there from now on; once for the process. Throws backend_unavailable where the system has none.
const extensions& start_winsock();

/// A stream socket, not inherited by children, that never blocks.
result<socket_owner> open_socket(int family) noexcept;

/// Makes an accepted or adopted socket one that never blocks and is not inherited.
std::error_code make_private(SOCKET) noexcept;

/// The family of a stream socket; wrong_protocol_type if it is no socket of that kind.
result<int> family_of(SOCKET, handle_kind) noexcept;

/// ConnectEx wants a local address.
std::error_code bind_to_any(SOCKET, int family) noexcept;

/// A connect to this machine is refused at once where nobody listens, as everywhere else; Windows would try for two seconds.
void refuse_fast(SOCKET) noexcept;

/// For what a listener with that option has accepted: the system promises no such inheritance.
void set_nodelay(SOCKET) noexcept;

/// A request of a handle; not release.
std::error_code control_socket(SOCKET, control_request&) noexcept;

}
