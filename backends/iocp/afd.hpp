// afd.hpp - asks the driver below sockets when one becomes ready, with an answer through a completion port. The interface is the one that
// the system's own select() uses; it is not documented, and libuv, Tokio and others rely on it.
#pragma once

#include "windows.hpp"

namespace corun::iocp {

/// The request of one poll, and its answer; the driver's until the answer has come.
struct afd_poll {
    LARGE_INTEGER timeout{};
    ULONG count = 1;
    ULONG exclusive = 0;
    HANDLE socket = nullptr;
    ULONG events = 0;
    LONG status = 0;
};

/// True if the answer says that the peer has reset the connection, or this machine given it up.
bool was_reset(const afd_poll&) noexcept;

/// A handle of the driver, associated with the port.
class afd {
public:
    /// Throws backend_unavailable if the system refuses.
    explicit afd(HANDLE port);
    afd(const afd&) = delete;
    ~afd();

    /// Asks when the socket has one of the directions (a `ready` mask), has ended or failed. 0, or the error; the answer comes through the
    /// port.
    int ask(SOCKET, int directions, afd_poll&, OVERLAPPED&) noexcept;

    /// Asks a poll to end.
    void cancel(OVERLAPPED& o) noexcept { ::CancelIoEx(handle_, &o); }

private:
    HANDLE handle_ = nullptr;
};

/// The code of a status, in native_category().
int code_of_status(LONG status) noexcept;

/// Takes a socket from the port it is associated with; false where the system can't.
bool leave_port(SOCKET) noexcept;

}
