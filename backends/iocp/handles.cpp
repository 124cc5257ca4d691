// handles.cpp - sockets: made, taken over, asked, closed.
#include "attempt.hpp"
#include "iocp_backend.hpp"
#include "winsock.hpp"

#include <utility>

namespace corun::iocp {

/// The record stands for the socket from now on, unless there is an error.
std::error_code iocp_backend::bind_record(record& r, SOCKET s, int family) noexcept {
    if (!::CreateIoCompletionPort(reinterpret_cast<HANDLE>(s), port_.get(), 0, 0))
        return socket_error(static_cast<int>(::GetLastError()));
    constexpr UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    r.skips = options_.skip_on_success && ::SetFileCompletionNotificationModes(reinterpret_cast<HANDLE>(s), modes);
    r.socket = s;
    r.family = family;
    r.may_have_more = true;
    return {};
}

/// The same for a socket that open_socket() has not made.
std::error_code iocp_backend::bind_foreign(record& r, SOCKET s, int family) noexcept {
    const std::error_code error = make_private(s);
    return error ? error : bind_record(r, s, family);
}

result<handle> iocp_backend::open(socket_type type) noexcept {
    const int family = type == socket_type::tcp_v6 ? AF_INET6 : AF_INET;
    record* const r = records_.take();
    if (!r)
        return socket_error(ERROR_NOT_ENOUGH_MEMORY);
    result<socket_owner> made = open_socket(family);
    std::error_code error = made.error();
    if (!error)
        error = bind_record(*r, made->get(), family);
    if (error) {
        records_.give_back(*r);
        return error;
    }
    (void)made->release();
    return handle{r->index, r->generation};
}

result<handle> iocp_backend::adopt(native_handle native, handle_kind kind) noexcept {
    const SOCKET s = static_cast<SOCKET>(native);
    const result<int> family = family_of(s, kind);
    if (!family)
        return family.error();
    if (records_.has_open([s](const record& r) { return r.socket == s; }))
        return socket_error(ERROR_BUSY);
    record* const r = records_.take();
    if (!r)
        return socket_error(ERROR_NOT_ENOUGH_MEMORY);
    if (const std::error_code error = bind_foreign(*r, s, *family)) {
        records_.give_back(*r);
        return error;
    }
    return handle{r->index, r->generation};
}

std::error_code iocp_backend::control(handle h, control_request& request) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return socket_error(WSAEBADF);
    if (request.kind == control_kind::release)
        return release(*r, request.native);
    const std::error_code error = control_socket(r->socket, request);
    if (!error && request.kind == control_kind::set_option && request.option == socket_option::nodelay)
        r->nodelay = request.value != 0;
    return error;
}

std::error_code iocp_backend::release(record& r, native_handle& native) noexcept {
    if (!r.are_free())
        return socket_error(ERROR_BUSY);
    if (!leave_port(r.socket))
        return socket_error(WSAEOPNOTSUPP);
    native = static_cast<native_handle>(std::exchange(r.socket, INVALID_SOCKET));
    end(r);
    return {};
}

std::error_code iocp_backend::close(handle h) noexcept {
    record* const r = records_.find(h);
    if (!r)
        return socket_error(WSAEBADF);
    for (slot* const s : {&r->reader, &r->writer})
        if (s->is_lent)
            ask_to_end(*r, *s);
    const int returned = ::closesocket(std::exchange(r->socket, INVALID_SOCKET));
    const std::error_code error = returned == SOCKET_ERROR ? socket_error(::WSAGetLastError()) : std::error_code();
    if (r->are_free())
        end(*r);
    return error;
}

/// The record is free again.
void iocp_backend::end(record& r) noexcept {
    ++r.generation;
    records_.give_back(r);
}

}
