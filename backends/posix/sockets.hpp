// sockets.hpp - handles of sockets: made, taken over, accepted. `bind(record, fd, type)` makes a record stand for a descriptor.
#pragma once

#include "../common/handle_table.hpp"
#include "attempt.hpp"
#include "descriptor_type.hpp"
#include "socket.hpp"

#include <corun/result.hpp>

#include <cerrno>
#include <climits>
#include <system_error>

namespace corun::posix {

template <class Record, class Bind>
result<handle> open_handle(common::handle_table<Record>& records, socket_type type, Bind bind) noexcept {
    Record* const r = records.take();
    if (!r)
        return std::error_code(ENOMEM, std::system_category());
    result<fd> made = open_socket(type);
    if (!made) {
        records.give_back(*r);
        return made.error();
    }
    return bind(*r, made->release(), descriptor_type::tcp_stream);
}

template <class Record, class Bind>
result<handle> adopt_handle(common::handle_table<Record>& records, native_handle native, handle_kind kind, Bind bind) noexcept {
    if (native < 0 || native > INT_MAX)
        return std::error_code(EBADF, std::system_category());
    const int number = static_cast<int>(native);
    if (const std::error_code wrong = check_kind(number, kind))
        return wrong;
    // Pollers refuse a second registration, but only at the first wait, and io_uring never would.
    if (records.has_open([number](const Record& r) { return r.fd == number; }))
        return std::error_code(EBUSY, std::system_category());
    Record* const r = records.take();
    if (!r)
        return std::error_code(ENOMEM, std::system_category());
    if (kind == handle_kind::tcp_stream)
        sys::keep_sigpipe_away(number);
    const handle h = bind(*r, number, kind == handle_kind::tcp_stream ? descriptor_type::tcp_stream : descriptor_type::tcp_listener);
    r->asks_first = kind == handle_kind::tcp_listener && is_blocking(number);
    return h;
}

/// One try to accept; false if it would block.
template <class Record, class Bind>
bool try_accept(common::handle_table<Record>& records, const Record& listener, operation& o, Bind bind) noexcept {
    // The record first: without memory for it no connection may be taken from the kernel.
    Record* const accepted = records.take();
    if (!accepted) {
        o.finish(ENOMEM);
        return true;
    }
    if ((listener.asks_first ? accept_after_poll(listener.fd, o) : attempt(listener.fd, o)) == attempted::would_block) {
        records.give_back(*accepted);
        return false;
    }
    if (o.error != 0)
        records.give_back(*accepted);
    else
        o.accepted = bind(*accepted, static_cast<int>(o.native), descriptor_type::tcp_stream);
    return true;
}

/// Closes a descriptor. Interrupted or not, the number is free again.
inline std::error_code close_socket(int number) noexcept {
    if (sys::close(number) < 0 && errno != EINTR)
        return last_error();
    return {};
}

}
