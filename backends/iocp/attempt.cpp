// attempt.cpp - see attempt.hpp.
#include "attempt.hpp"

#include "../common/sockaddr.hpp"
#include "winsock.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace corun::iocp {
namespace {

/// A socket that never blocks takes a write of any size at once, into memory of the system's.
constexpr std::size_t most_at_once = 256 * 1024;

/// The slices of a transfer as the system wants them, as many as fit.
struct buffers {
    explicit buffers(const operation& o) noexcept {
        const bool writes = (row_of(o.kind).directions & ready::writable) != 0;
        std::size_t left = writes ? most_at_once : std::size_t(INT32_MAX);
        for (std::uint32_t i = 0; i < o.slice_count && count < all.size() && left > 0; ++i) {
            const std::size_t size = std::min(o.slices[i].size, left);
            all[count++] = {static_cast<ULONG>(size), static_cast<CHAR*>(o.slices[i].data)};
            left -= size;
        }
    }

    std::array<WSABUF, 64> all;
    DWORD count = 0;
};

bool is_would_block(int code) noexcept { return code == WSAEWOULDBLOCK; }

attempted end_transfer(operation& o, int returned, DWORD moved) noexcept {
    if (returned == 0) {
        o.finish(0, moved);
        return attempted::finished;
    }
    const int code = ::WSAGetLastError();
    if (is_would_block(code))
        return attempted::would_block;
    o.finish(transfer_error(code));
    return attempted::finished;
}

bool is_this_machine(const address& a) noexcept {
    const auto& octets = a.octets();
    if (a.family() == address_family::ipv4)
        return octets[0] == 127;
    return std::all_of(octets.begin(), octets.end() - 1, [](std::uint8_t o) { return o == 0; }) && octets.back() == 1;
}

}

attempted read(SOCKET s, operation& o) noexcept {
    buffers b(o);
    DWORD moved = 0;
    DWORD flags = 0;
    const int returned = ::WSARecv(s, b.all.data(), b.count, &moved, &flags, nullptr, nullptr);
    return end_transfer(o, returned, moved);
}

attempted write(SOCKET s, operation& o) noexcept {
    buffers b(o);
    DWORD moved = 0;
    const int returned = ::WSASend(s, b.all.data(), b.count, &moved, 0, nullptr, nullptr);
    return end_transfer(o, returned, moved);
}

attempted poll(SOCKET s, operation& o) noexcept {
    WSAPOLLFD p{s, 0, 0};
    if (o.wanted & ready::readable)
        p.events |= POLLRDNORM;
    if (o.wanted & ready::writable)
        p.events |= POLLWRNORM;
    const int count = ::WSAPoll(&p, 1, 0);
    if (count == 0)
        return attempted::would_block;
    if (count < 0) {
        o.finish(::WSAGetLastError());
        return attempted::finished;
    }
    o.finish(0);
    if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
        o.found = o.wanted;
    else
        o.found =
            static_cast<std::uint8_t>((p.revents & POLLRDNORM ? ready::readable : 0) | (p.revents & POLLWRNORM ? ready::writable : 0));
    return attempted::finished;
}

attempted shutdown(SOCKET s, operation& o) noexcept {
    o.finish(::shutdown(s, SD_SEND) == SOCKET_ERROR ? ::WSAGetLastError() : 0);
    return attempted::finished;
}

int begin_read(record& r, slot& l) noexcept {
    buffers b(*l.o);
    DWORD flags = 0;
    return ::WSARecv(r.socket, b.all.data(), b.count, nullptr, &flags, &l.overlapped, nullptr) == 0 ? 0 : ::WSAGetLastError();
}

int begin_accept(record& r, slot& l) noexcept {
    extra& e = *l.more;
    constexpr DWORD size = sizeof e.addresses / 2;
    DWORD moved = 0;
    return start_winsock().accept(r.socket, e.socket, e.addresses, 0, size, size, &moved, &l.overlapped) ? 0 : ::WSAGetLastError();
}

int begin_connect(record& r, slot& l) noexcept {
    const address& where = *l.o->to;
    if (const std::error_code error = bind_to_any(r.socket, r.family))
        return error.value();
    if (is_this_machine(where))
        refuse_fast(r.socket);
    const common::native_address native(where);
    return start_winsock().connect(r.socket, native.data(), native.size, nullptr, 0, nullptr, &l.overlapped) ? 0 : ::WSAGetLastError();
}

attempted accept(SOCKET listener, operation& o) noexcept {
    common::native_address peer;
    int tries = 256;   // a listener that fails for ever must not keep the loop
    int code = 0;
    SOCKET taken = INVALID_SOCKET;
    do {
        peer.size = sizeof peer.v6;
        taken = ::accept(listener, peer.data(), &peer.size);
        code = taken == INVALID_SOCKET ? ::WSAGetLastError() : 0;
    } while (code != 0 && is_of_the_connection(code) && --tries > 0);
    if (is_would_block(code))
        return attempted::would_block;
    if (code == 0 && o.peer)
        *o.peer = peer.portable();
    o.finish(code);
    if (code == 0)
        o.native = static_cast<native_handle>(taken);
    return attempted::finished;
}

void update_accepted(SOCKET accepted, SOCKET listener) noexcept {
    ::setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, reinterpret_cast<const char*>(&listener), sizeof listener);
}

void update_connected(SOCKET s) noexcept { ::setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0); }

void write_peer(const extra& e, operation& o) noexcept {
    if (!o.peer)
        return;
    constexpr DWORD size = sizeof e.addresses / 2;
    sockaddr* own = nullptr;
    sockaddr* peer = nullptr;
    int own_size = 0;
    int peer_size = 0;
    start_winsock().addresses(const_cast<char*>(e.addresses), 0, size, size, &own, &own_size, &peer, &peer_size);
    common::native_address native;
    native.size = std::min<int>(peer_size, sizeof native.v6);
    std::memcpy(native.data(), peer, static_cast<std::size_t>(native.size));
    *o.peer = native.portable();
}

int transfer_error(int code) noexcept {
    switch (code) {
    case WSAECONNABORTED:         // by this machine, after the peer's reset
    case ERROR_NETNAME_DELETED:   // the same, through the port
    case ERROR_CONNECTION_ABORTED: return WSAECONNRESET;
    default: return code;
    }
}

bool ends_connection(int code) noexcept {
    return code == WSAECONNRESET || code == WSAETIMEDOUT || code == ERROR_SEM_TIMEOUT || code == WSAENETRESET || code == WSAEHOSTUNREACH ||
           code == WSAENETUNREACH;
}

bool is_of_the_connection(int code) noexcept {
    switch (code) {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case ERROR_NETNAME_DELETED:
    case ERROR_CONNECTION_ABORTED:
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAEHOSTDOWN:
    case WSAEHOSTUNREACH:
    case WSAETIMEDOUT: return true;
    default: return false;
    }
}
}
