// winsock.cpp - see winsock.hpp.
#include "winsock.hpp"

#include "../common/sockaddr.hpp"

#include <corun/errors.hpp>

namespace corun::iocp {
namespace {

[[noreturn]] void refuse(const char* what) {
    throw backend_unavailable(socket_error(::WSAGetLastError()), std::string("corun: this system's sockets can't be used: ") + what);
}

template <class Function>
void load(SOCKET s, GUID id, Function& function) {
    DWORD size = 0;
    if (::WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function, &size, nullptr, nullptr) != 0)
        refuse("an extension function is missing");
}

extensions load_extensions() {
    WSADATA data;
    if (const int error = ::WSAStartup(MAKEWORD(2, 2), &data)) {
        ::WSASetLastError(error);
        refuse("WSAStartup");
    }
    const socket_owner any(::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
    if (!any)
        refuse("no socket");
    extensions e;
    load(any.get(), WSAID_ACCEPTEX, e.accept);
    load(any.get(), WSAID_CONNECTEX, e.connect);
    load(any.get(), WSAID_GETACCEPTEXSOCKADDRS, e.addresses);
    return e;
}

std::error_code answer(int returned) noexcept { return returned == SOCKET_ERROR ? socket_error(::WSAGetLastError()) : std::error_code(); }

std::error_code bind_to(SOCKET s, const address& where) noexcept {
    const common::native_address native(where);
    return answer(::bind(s, native.data(), native.size));
}

using name_getter = int(WSAAPI*)(SOCKET, sockaddr*, int*);

std::error_code get_name(name_getter get, SOCKET s, address& where) noexcept {
    common::native_address native;
    if (get(s, native.data(), &native.size) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    where = native.portable();
    return {};
}

struct option_name {
    int level;
    int name;
};

/// A level of 0 for what has no counterpart here.
option_name native_name(socket_option o) noexcept {
    switch (o) {
    case socket_option::nodelay: return {IPPROTO_TCP, TCP_NODELAY};
    case socket_option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE};
    case socket_option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF};
    case socket_option::send_buffer: return {SOL_SOCKET, SO_SNDBUF};
    case socket_option::linger_zero: return {SOL_SOCKET, SO_LINGER};
    case socket_option::v6_only: return {IPPROTO_IPV6, IPV6_V6ONLY};
    case socket_option::reuse_address:
    case socket_option::reuse_port: break;
    }
    return {0, 0};
}

std::error_code set_option(SOCKET s, socket_option o, int value) noexcept {
    // Old connections of a port don't keep it here. SO_REUSEADDR would let others take it away.
    if (o == socket_option::reuse_address)
        return {};
    const option_name n = native_name(o);
    if (n.level == 0)
        return socket_error(WSAENOPROTOOPT);
    if (o == socket_option::linger_zero) {
        const linger l{static_cast<u_short>(value != 0), 0};
        return answer(::setsockopt(s, n.level, n.name, reinterpret_cast<const char*>(&l), sizeof l));
    }
    const DWORD native = static_cast<DWORD>(value);
    return answer(::setsockopt(s, n.level, n.name, reinterpret_cast<const char*>(&native), sizeof native));
}

std::error_code get_option(SOCKET s, socket_option o, int& value) noexcept {
    if (o == socket_option::reuse_address) {
        value = 1;
        return {};
    }
    const option_name n = native_name(o);
    if (n.level == 0)
        return socket_error(WSAENOPROTOOPT);
    linger l{};
    DWORD native = 0;
    const bool is_linger = o == socket_option::linger_zero;
    int size = is_linger ? sizeof l : sizeof native;
    if (::getsockopt(s, n.level, n.name, is_linger ? reinterpret_cast<char*>(&l) : reinterpret_cast<char*>(&native), &size) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    const bool is_size = o == socket_option::receive_buffer || o == socket_option::send_buffer;
    if (is_linger)
        value = l.l_onoff != 0 && l.l_linger == 0;
    else
        value = is_size ? static_cast<int>(native) : (native & 0xff) != 0;   // some are answered as one byte
    return {};
}

}

std::error_code socket_error(int code) noexcept { return {code, native_category()}; }

const extensions& start_winsock() {
    static const extensions all = load_extensions();
    return all;
}

result<socket_owner> open_socket(int family) noexcept {
    socket_owner made(::WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
    if (!made)
        return socket_error(::WSAGetLastError());
    if (const std::error_code error = make_private(made.get()))
        return error;
    return made;
}

std::error_code make_private(SOCKET s) noexcept {
    u_long on = 1;
    if (::ioctlsocket(s, static_cast<long>(FIONBIO), &on) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    ::SetHandleInformation(reinterpret_cast<HANDLE>(s), HANDLE_FLAG_INHERIT, 0);
    return {};
}

result<int> family_of(SOCKET s, handle_kind kind) noexcept {
    WSAPROTOCOL_INFOW info{};
    int size = sizeof info;
    if (::getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&info), &size) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    DWORD listens = 0;
    size = sizeof listens;
    if (::getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, reinterpret_cast<char*>(&listens), &size) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    const bool is_known = info.iSocketType == SOCK_STREAM && (info.iAddressFamily == AF_INET || info.iAddressFamily == AF_INET6);
    if (!is_known || (listens != 0) != (kind == handle_kind::tcp_listener))
        return std::make_error_code(std::errc::wrong_protocol_type);
    common::native_address peer;
    if (kind == handle_kind::tcp_stream && ::getpeername(s, peer.data(), &peer.size) == SOCKET_ERROR)
        return socket_error(::WSAGetLastError());
    return info.iAddressFamily;
}

void set_nodelay(SOCKET s) noexcept { (void)set_option(s, socket_option::nodelay, 1); }

std::error_code bind_to_any(SOCKET s, int family) noexcept {
    common::native_address any;
    any.any.sa_family = static_cast<decltype(any.any.sa_family)>(family);
    any.size = family == AF_INET6 ? sizeof any.v6 : sizeof any.v4;
    if (::bind(s, any.data(), any.size) == SOCKET_ERROR && ::WSAGetLastError() != WSAEINVAL)   // it has an address already
        return socket_error(::WSAGetLastError());
    return {};
}

void refuse_fast(SOCKET s) noexcept {
    constexpr UCHAR no_second_try = static_cast<UCHAR>(-2);   // TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS
    TCP_INITIAL_RTO_PARAMETERS once{TCP_INITIAL_RTO_UNSPECIFIED_RTT, no_second_try};
    DWORD size = 0;
    ::WSAIoctl(s, SIO_TCP_INITIAL_RTO, &once, sizeof once, nullptr, 0, &size, nullptr, nullptr);
}

std::error_code control_socket(SOCKET s, control_request& r) noexcept {
    switch (r.kind) {
    case control_kind::bind: return bind_to(s, *r.where);
    case control_kind::listen: return answer(::listen(s, r.value > 0 ? r.value : SOMAXCONN));
    case control_kind::local_address: return get_name(&::getsockname, s, *r.where);
    case control_kind::remote_address: return get_name(&::getpeername, s, *r.where);
    case control_kind::set_option: return set_option(s, r.option, r.value);
    case control_kind::get_option: return get_option(s, r.option, r.value);
    case control_kind::native: r.native = static_cast<native_handle>(s); return {};
    case control_kind::release: break;   // the backend's: it knows what else the handle holds
    }
    return std::make_error_code(std::errc::operation_not_supported);
}

}
