// iocp.hpp - the backend on Windows' completion ports.
#pragma once

#include <corun/backend.hpp>

#include <memory>

namespace corun {

/// Less of what the system offers: for tests, and for measuring.
struct iocp_options {
    iocp_options() noexcept {}
    explicit iocp_options(bool skips) noexcept : skip_on_success(skips) {}

    bool skip_on_success = true;   ///< what succeeds at once is not told by the port a second time
};

/// A backend on a completion port of Windows (10 or later). Throws backend_unavailable where the system has no sockets or no such port,
/// and another std::system_error when it is out of handles or memory.
std::unique_ptr<backend> make_iocp();
std::unique_ptr<backend> make_iocp(const iocp_options&);

}
