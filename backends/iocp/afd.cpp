// afd.cpp - see afd.hpp.
#include "afd.hpp"

#include "winsock.hpp"

#include <corun/errors.hpp>
#include <corun/operation.hpp>

#include <cstdint>

#include <winternl.h>

namespace corun::iocp {
namespace {

constexpr ULONG poll_request = 0x00012024;   // IOCTL_AFD_POLL

constexpr ULONG is_readable = 0x0001;
constexpr ULONG is_writable = 0x0004;
constexpr ULONG has_ended = 0x0008;
constexpr ULONG was_aborted = 0x0010;
constexpr ULONG was_closed_here = 0x0020;
constexpr ULONG is_acceptable = 0x0080;
constexpr ULONG has_not_connected = 0x0100;

constexpr LONG pending_status = 0x103;

}

bool was_reset(const afd_poll& p) noexcept { return (p.events & was_aborted) != 0; }

afd::afd(HANDLE port) {
    wchar_t name[] = L"\\Device\\Afd\\corun";
    UNICODE_STRING text{static_cast<USHORT>(sizeof name - sizeof *name), static_cast<USHORT>(sizeof name), name};
    OBJECT_ATTRIBUTES attributes{};
    attributes.Length = sizeof attributes;
    attributes.ObjectName = &text;
    IO_STATUS_BLOCK block{};
    const NTSTATUS status = ::NtCreateFile(&handle_, SYNCHRONIZE, &attributes, &block, nullptr, 0, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                           FILE_OPEN, 0, nullptr, 0);
    if (status < 0)
        throw backend_unavailable(socket_error(code_of_status(status)), "corun: this system does not tell when a socket is ready");
    if (!::CreateIoCompletionPort(handle_, port, 0, 0)) {
        const int error = static_cast<int>(::GetLastError());
        ::CloseHandle(handle_);
        throw backend_unavailable(socket_error(error), "corun: this system does not tell when a socket is ready");
    }
}

afd::~afd() { ::CloseHandle(handle_); }

int afd::ask(SOCKET s, int directions, afd_poll& p, OVERLAPPED& o) noexcept {
    SOCKET base = s;
    DWORD size = 0;
    // A layer of another maker's above the socket may not be known to the driver.
    if (::WSAIoctl(s, SIO_BASE_HANDLE, nullptr, 0, &base, sizeof base, &size, nullptr, nullptr) != 0)
        base = s;
    p = afd_poll();
    p.timeout.QuadPart = INT64_MAX;
    p.socket = reinterpret_cast<HANDLE>(base);
    p.events = was_aborted | was_closed_here | has_not_connected;
    if (directions & ready::readable)
        p.events |= is_readable | is_acceptable | has_ended;
    if (directions & ready::writable)
        p.events |= is_writable;
    o = OVERLAPPED();
    auto* const block = reinterpret_cast<IO_STATUS_BLOCK*>(&o);
    block->Status = pending_status;
    const NTSTATUS status = ::NtDeviceIoControlFile(handle_, nullptr, nullptr, &o, block, poll_request, &p, sizeof p, &p, sizeof p);
    return status < 0 ? code_of_status(status) : 0;
}

int code_of_status(LONG status) noexcept { return static_cast<int>(::RtlNtStatusToDosError(status)); }

bool leave_port(SOCKET s) noexcept {
    struct {
        HANDLE port = nullptr;
        void* key = nullptr;
    } none;
    constexpr auto replace_completion_information = static_cast<FILE_INFORMATION_CLASS>(61);
    IO_STATUS_BLOCK block{};
    return ::NtSetInformationFile(reinterpret_cast<HANDLE>(s), &block, &none, sizeof none, replace_completion_information) >= 0;
}

}
