// operations.hpp - what every POSIX backend has to know about kinds of operations and about errors.
#pragma once

#include "../common/refusal.hpp"

#include <corun/operation.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>

#include <sys/socket.h>
#include <sys/uio.h>

namespace corun::posix {

inline constexpr common::refusal_codes refusals{.no_such_handle = EBADF, .not_supported = EOPNOTSUPP};

/// True for an error with which the connection itself has ended.
inline bool ends_connection(int error) noexcept {
    return error == ECONNRESET || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

/// True for an accept's error that is one of a connection that went before it was taken; the listener is well.
inline bool is_of_the_connection(int error) noexcept {
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:   // a firewall's rule
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ETIMEDOUT: return true;
    default: return false;
    }
}

/// The error with which a connection ended is each later read's: the kernel tells it once, then calls it the end.
template <class Record>
void note_end(Record& r, operation& o) noexcept {
    if (ends_connection(o.error))
        r.lost = o.error;
    else if (o.error == 0 && row_of(o.kind).zero_is_end && o.count == 0)
        o.error = r.lost;
}

// Slices go to the kernel as they are.
static_assert(sizeof(io_slice) == sizeof(iovec) && offsetof(io_slice, data) == offsetof(iovec, iov_base) &&
              offsetof(io_slice, size) == offsetof(iovec, iov_len));

/// The slices of a transfer as one message, as many as the system takes at a time.
inline msghdr message_of(const operation& o) noexcept {
#ifdef IOV_MAX
    constexpr std::uint32_t most = IOV_MAX;
#else
    constexpr std::uint32_t most = 1024;
#endif
    msghdr m{};
    m.msg_iov = const_cast<iovec*>(reinterpret_cast<const iovec*>(o.slices));
    m.msg_iovlen = static_cast<decltype(m.msg_iovlen)>(std::min(o.slice_count, most));   // an int on some systems
    return m;
}

}
