// socket.cpp - sockets' synchronous calls, a function for each control_kind.
#include "socket.hpp"

#include "../common/sockaddr.hpp"

#include <climits>

#include <netinet/tcp.h>

namespace corun::posix {
namespace {

std::error_code answer(int returned) noexcept { return returned < 0 ? last_error() : std::error_code(); }

std::error_code bind_to(int fd, const address& where) noexcept {
    const common::native_address native(where);
    return answer(sys::bind(fd, native.data(), native.size));
}

using name_getter = int (*)(int, sockaddr*, socklen_t*) noexcept;

std::error_code get_name(name_getter get, int fd, address& where) noexcept {
    common::native_address native;
    if (get(fd, native.data(), &native.size) < 0)
        return last_error();
    where = native.portable();
    return {};
}

struct option_name {
    int level;
    int name;
};

option_name native_name(socket_option o) noexcept {
    switch (o) {
    case socket_option::nodelay: return {IPPROTO_TCP, TCP_NODELAY};
    case socket_option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE};
    case socket_option::reuse_address: return {SOL_SOCKET, SO_REUSEADDR};
    case socket_option::reuse_port: return {SOL_SOCKET, SO_REUSEPORT};
    case socket_option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF};
    case socket_option::send_buffer: return {SOL_SOCKET, SO_SNDBUF};
    case socket_option::linger_zero: return {SOL_SOCKET, SO_LINGER};
    case socket_option::v6_only: return {IPPROTO_IPV6, IPV6_V6ONLY};
    }
    return {-1, -1};   // answers ENOPROTOOPT
}

std::error_code set_option(int fd, socket_option o, int value) noexcept {
    const option_name n = native_name(o);
    if (o != socket_option::linger_zero)
        return answer(sys::setsockopt(fd, n.level, n.name, &value, sizeof value));
    const linger l{value, 0};
    return answer(sys::setsockopt(fd, n.level, n.name, &l, sizeof l));
}

std::error_code get_option(int fd, socket_option o, int& value) noexcept {
    const option_name n = native_name(o);
    linger l{};
    void* const into = o == socket_option::linger_zero ? static_cast<void*>(&l) : &value;
    socklen_t size = o == socket_option::linger_zero ? sizeof l : sizeof value;
    if (sys::getsockopt(fd, n.level, n.name, into, &size) < 0)
        return last_error();
    if (o == socket_option::linger_zero)
        value = l.l_onoff != 0 && l.l_linger == 0;
    else if (o != socket_option::receive_buffer && o != socket_option::send_buffer)
        value = value != 0;
    return {};
}

int socket_fact(int fd, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return sys::getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

/// One whose connection has been reset has no peer any more, but what came before may still be read.
bool has_been_connected(int fd) noexcept {
    common::native_address peer;
    if (sys::getpeername(fd, peer.data(), &peer.size) == 0)
        return true;
    pollfd p{fd, POLLIN, 0};
    return sys::poll_once(p) > 0 && (p.revents & POLLIN) != 0;
}

}

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

result<fd> open_socket(socket_type type) noexcept {
    const int domain = type == socket_type::tcp_v6 ? AF_INET6 : AF_INET;
    fd made(sys::socket(domain, SOCK_STREAM, IPPROTO_TCP));
    if (!made)
        return last_error();
    sys::keep_sigpipe_away(made.get());
    return made;
}

std::error_code check_kind(int fd, handle_kind kind) noexcept {
    const int type = socket_fact(fd, SO_TYPE);
    if (type < 0)
        return last_error();
    common::native_address own;   // its family: few systems have SO_DOMAIN
    if (sys::getsockname(fd, own.data(), &own.size) < 0)
        return last_error();
    const int domain = own.any.sa_family;
    const int listens = socket_fact(fd, SO_ACCEPTCONN);   // -1 where a system doesn't tell: then the caller knows
    const bool is_other = listens >= 0 && (listens != 0) != (kind == handle_kind::tcp_listener);
    if (type != SOCK_STREAM || (domain != AF_INET && domain != AF_INET6) || is_other)
        return std::make_error_code(std::errc::wrong_protocol_type);
    if (kind == handle_kind::tcp_stream && !has_been_connected(fd))
        return {ENOTCONN, std::system_category()};
    return {};
}

bool is_blocking(int fd) noexcept { return (sys::fcntl_get(fd, F_GETFL) & O_NONBLOCK) == 0; }

std::error_code control_socket(int fd, control_request& r) noexcept {
    switch (r.kind) {
    case control_kind::bind: return bind_to(fd, *r.where);
    case control_kind::listen: return answer(sys::listen(fd, r.value > 0 ? r.value : INT_MAX));   // the system cuts it to its largest
    case control_kind::local_address: return get_name(&sys::getsockname, fd, *r.where);
    case control_kind::remote_address: return get_name(&sys::getpeername, fd, *r.where);
    case control_kind::set_option: return set_option(fd, r.option, r.value);
    case control_kind::get_option: return get_option(fd, r.option, r.value);
    case control_kind::native: r.native = fd; return {};
    case control_kind::release: break;   // the backend's: it knows what else the handle holds
    }
    return std::make_error_code(std::errc::operation_not_supported);
}

}
