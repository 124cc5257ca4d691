// iocp_backend.cpp - the wait, and what the port tells. What of the system this leans on is in docs/backends/iocp.md.
#include "iocp_backend.hpp"

#include "../common/clock.hpp"
#include "attempt.hpp"
#include "interrupts.hpp"
#include "winsock.hpp"

#include <corun/errors.hpp>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace corun {
namespace iocp {
namespace {

/// More answers are fetched in one wait, but tasks are to run, too.
constexpr int most_batches = 4;

/// Rounded up: a wait that ends before its deadline would be followed by another.
DWORD milliseconds_until(time_point deadline) noexcept {
    if (deadline == no_deadline)
        return INFINITE;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(common::time_until(deadline)).count();
    return static_cast<DWORD>(std::min<decltype(left)>(left, 24 * 3600 * 1000));
}

}

port::port() : handle_(::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1)) {
    if (!handle_)
        throw backend_unavailable(socket_error(static_cast<int>(::GetLastError())), "corun: CreateIoCompletionPort");
}

iocp_backend::iocp_backend(const iocp_options& options) : options_((start_winsock(), options)), afd_(port_.get()) {}

iocp_backend::~iocp_backend() {
    while (lent_ > 0)   // closes on their way
        collect(no_deadline);
    records_.for_each([](const record& r) {
        if (r.is_open())
            ::closesocket(r.socket);
    });
}

time_point iocp_backend::now() const noexcept { return common::now(); }

waited iocp_backend::wait(time_point deadline, operation_list& finished) noexcept {
    collect(woken_ || !finished_.empty() ? time_point::min() : deadline);
    const bool news = woken_ || !finished_.empty();
    woken_ = false;
    finished.splice_back(finished_);
    return news ? waited::news : waited::nothing;
}

void iocp_backend::collect(time_point deadline) noexcept {
    for (int batch = 0; batch < most_batches; ++batch) {
        if (news_count_ == 0 && !::GetQueuedCompletionStatusEx(port_.get(), news_.data(), static_cast<ULONG>(news_.size()), &news_count_,
                                                               batch == 0 ? milliseconds_until(deadline) : 0, FALSE)) {
            news_count_ = 0;
            return;
        }
        const ULONG count = std::exchange(news_count_, 0);
        std::for_each_n(news_.begin(), count, [this](const OVERLAPPED_ENTRY& e) { take(e); });
        if (count < news_.size())
            return;
    }
}

void iocp_backend::take(const OVERLAPPED_ENTRY& e) noexcept {
    if (!e.lpOverlapped) {
        wake_is_due_ = false;
        woken_ = true;
        return;
    }
    slot& s = *reinterpret_cast<slot*>(e.lpOverlapped);
    assert(s.is_lent);
    const auto status = static_cast<LONG>(e.lpOverlapped->Internal);
    take_answer(records_.at(s.o->target.index), s, status < 0 ? code_of_status(status) : 0, e.dwNumberOfBytesTransferred);
}

/// From the first call on a packet is under way, until it is taken.
void iocp_backend::wake() noexcept {
    if (wake_is_due_.exchange(true))
        return;
    while (!::PostQueuedCompletionStatus(port_.get(), 0, 0, nullptr)) {
        if (::GetLastError() == ERROR_INVALID_HANDLE) {
            std::fputs("corun: the completion port of a loop was closed by somebody else\n", stderr);
            std::abort();
        }
        ::Sleep(1);   // out of memory for the packet: without it the loop would sleep on
    }
}

void iocp_backend::block(time_point deadline) noexcept {
    if (news_count_ == 0 && finished_.empty() && !woken_ &&
        !::GetQueuedCompletionStatusEx(port_.get(), news_.data(), static_cast<ULONG>(news_.size()), &news_count_,
                                       milliseconds_until(deadline), FALSE))
        news_count_ = 0;
}

bool iocp_backend::catch_interrupts(interrupt_counter& c) noexcept { return iocp::catch_interrupts(c); }

void iocp_backend::release_interrupts(interrupt_counter& c) noexcept { iocp::release_interrupts(c); }

}

std::unique_ptr<backend> make_iocp() { return make_iocp(iocp_options()); }

std::unique_ptr<backend> make_iocp(const iocp_options& options) { return std::make_unique<iocp::iocp_backend>(options); }

}
