// iocp_backend.hpp - operations are tried once; those that would wait are lent to the system, whose answer through the port ends them.
#pragma once

#include "../common/handle_table.hpp"
#include "afd.hpp"
#include "attempt.hpp"
#include "record.hpp"

#include <corun/backend.hpp>
#include <corun/iocp.hpp>

#include <array>
#include <atomic>
#include <cstddef>

namespace corun::iocp {

/// Owns a completion port. Throws backend_unavailable if the system has none.
class port {
public:
    port();
    port(const port&) = delete;
    ~port() { ::CloseHandle(handle_); }
    HANDLE get() const noexcept { return handle_; }

private:
    HANDLE handle_;
};

class iocp_backend final : public backend {
public:
    explicit iocp_backend(const iocp_options&);
    ~iocp_backend() override;

    time_point now() const noexcept override;
    waited wait(time_point deadline, operation_list& finished) noexcept override;
    void wake() noexcept override;

    submitted submit(operation&) noexcept override;
    void perform(operation&) noexcept override;
    bool cancel(operation&) noexcept override;

    result<handle> open(socket_type) noexcept override;
    result<handle> adopt(native_handle, handle_kind) noexcept override;
    std::error_code control(handle, control_request&) noexcept override;
    std::error_code close(handle) noexcept override;

    native_handle wait_handle() noexcept override { return no_native_handle; }
    void block(time_point deadline) noexcept override;
    bool on_news(void (*)(void*) noexcept, void*) noexcept override { return false; }
    bool catch_interrupts(interrupt_counter&) noexcept override;
    void release_interrupts(interrupt_counter&) noexcept override;
    std::string_view name() const noexcept override { return "iocp"; }

private:
    /// How a kind is performed. Without a `begin` the system is asked when to try it.
    struct kind_ways {
        using taking = bool (iocp_backend::*)(record&, slot&, int code, std::size_t count) noexcept;

        attempted (*attempt)(SOCKET,
                             operation&) noexcept = nullptr;   ///< never blocks; of kinds without a target, it always has the answer
        int (*begin)(record&, slot&) noexcept = nullptr;       ///< 0 if it has succeeded at once, WSA_IO_PENDING, or the error
        taking take = &iocp_backend::take_transferred;         ///< writes the system's answer; false if it was asked anew
        void (*perform)(operation&) noexcept = nullptr;        ///< of a kind without a target: blocks, on a thread of the pool
    };

public:
    static constexpr kind_ways ways_for(operation_kind) noexcept;   // for kind_table

private:
    static const kind_ways& ways_of(const operation&) noexcept;

    // To the system.
    bool try_once(record&, operation&) noexcept;
    bool try_accept(record&, operation&) noexcept;
    submitted lend(record&, operation&) noexcept;
    int get_extra(record&, slot&) noexcept;
    void give_extra_back(slot&) noexcept;
    bool ask(record&, slot&) noexcept;

    // From the system.
    void collect(time_point deadline) noexcept;
    void take(const OVERLAPPED_ENTRY&) noexcept;
    void take_answer(record&, slot&, int code, std::size_t count) noexcept;
    bool take_transferred(record&, slot&, int code, std::size_t count) noexcept;
    bool take_accepted(record&, slot&, int code, std::size_t count) noexcept;
    bool take_connected(record&, slot&, int code, std::size_t count) noexcept;
    void take_connection(record& listener, slot&) noexcept;
    static void note_end(record&, operation&) noexcept;
    void leave(record&, slot&) noexcept;

    void ask_to_end(record&, slot&) noexcept;
    void end(record&) noexcept;
    std::error_code bind_record(record&, SOCKET, int family) noexcept;
    std::error_code bind_foreign(record&, SOCKET, int family) noexcept;
    std::error_code release(record&, native_handle&) noexcept;

    const iocp_options options_;
    port port_;
    afd afd_;
    common::handle_table<record> records_;
    operation_list finished_;   // outside wait(), or not handed over yet
    common::extra_pool<extra> extras_;
    std::size_t lent_ = 0;   // operations that the system has
    std::atomic<bool> wake_is_due_ = false;
    bool woken_ = false;

    std::array<OVERLAPPED_ENTRY, 64> news_{};
    ULONG news_count_ = 0;   // what block() has dequeued
};

}
