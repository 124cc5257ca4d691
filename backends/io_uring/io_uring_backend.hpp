// io_uring_backend.hpp - operations are tried once; those that would wait are lent to the kernel, whose answer ends them.
#pragma once

#include "../common/handle_table.hpp"
#include "../posix/wake_fd.hpp"
#include "record.hpp"
#include "ring.hpp"

#include <corun/backend.hpp>

#include <atomic>
#include <optional>

#include <sys/types.h>

namespace corun::uring {

class io_uring_backend final : public backend {
public:
    explicit io_uring_backend(const io_uring_options&);
    ~io_uring_backend() override;

    time_point now() const noexcept override;
    waited wait(time_point deadline, operation_list& finished) noexcept override;
    void wake() noexcept override {
        wake_.wake();
        // The kernel signals one eventfd from within a write to another with a delay, and Linux 6.18 does that once only.
        if (posix::wake_fd* const handle = handle_to_wake_.load(std::memory_order_acquire))
            handle->wake();
    }

    submitted submit(operation&) noexcept override;
    void perform(operation&) noexcept override;
    bool cancel(operation&) noexcept override;

    result<handle> open(socket_type) noexcept override;
    result<handle> adopt(native_handle, handle_kind) noexcept override;
    std::error_code control(handle, control_request&) noexcept override;
    std::error_code close(handle) noexcept override;

    native_handle wait_handle() noexcept override;
    void block(time_point deadline) noexcept override;
    bool on_news(void (*)(void*) noexcept, void*) noexcept override { return false; }
    bool catch_interrupts(interrupt_counter&) noexcept override;
    void release_interrupts(interrupt_counter&) noexcept override;
    std::string_view name() const noexcept override { return "io_uring"; }

private:
    /// What this backend does of its own for a kind. Without an `ask` the kernel is asked when to try it.
    struct kind_ways {
        using asking = void (*)(io_uring_sqe&, int fd, slot&, bool poll_first) noexcept;
        using ahead_answer = std::optional<submitted> (io_uring_backend::*)(record&, operation&) noexcept;
        using taking = void (io_uring_backend::*)(record&, slot&, const io_uring_cqe&) noexcept;

        asking ask = nullptr;                 ///< writes the request that performs it
        taking take = nullptr;                ///< takes what that request brought; the count and the error are in the operation
        ahead_answer ahead = nullptr;         ///< what a standing request has brought; nothing: as without one
        bool (*is_spurious)(int) = nullptr;   ///< of an error: it is not the operation's
        bool goes_with_others = false;        ///< with many answers in one wait it isn't tried, but handed over with what else there is
    };

public:
    static constexpr kind_ways ways_for(operation_kind) noexcept;   // for kind_table

private:
    static const kind_ways& ways_of(const operation&) noexcept;

    // submit: a try, then the kernel.
    submitted submit_close(operation&) noexcept;
    bool is_worth_a_try(const record&, const operation&) const noexcept;
    bool try_once(record&, operation&) noexcept;
    bool try_accept(record&, operation&) noexcept;
    bool lend(record&, operation&, bool tried) noexcept;
    bool get_extra(slot&) noexcept;
    void give_extra_back(slot&) noexcept;

    // To the kernel.
    void start() noexcept;
    void watch_wakes() noexcept;
    void hand_over() noexcept;
    bool hand_over(record&) noexcept;
    bool hand_over(record&, slot&) noexcept;
    bool ask_kernel_to_end(std::uint64_t mark) noexcept;

    // From the kernel.
    int collect() noexcept;
    void take_answer(const io_uring_cqe&) noexcept;
    void take_transfer(record&, slot&, const io_uring_cqe&) noexcept;
    void take_accepted(record&, slot&, const io_uring_cqe&) noexcept;
    void take_received(record&, slot&, const io_uring_cqe&) noexcept;
    void take_connection(slot&, int fd) noexcept;
    void try_again(record&, slot&) noexcept;
    void begin_anew(record&, slot&, bool polls) noexcept;
    static void note_end(record&, operation&) noexcept;
    void leave(record&, slot&) noexcept;

    bool ask_to_end(record&, slot&) noexcept;

    // Standing requests.
    submitted wait_for_ahead(record&, operation&) noexcept;
    void leave_to_plain(record&) noexcept;
    void begin_standing(record&) noexcept;
    void end_standing(record&) noexcept;
    void stop_standing(record&) noexcept;
    bool hand_over_standing(record&) noexcept;
    void take_standing(record&, const io_uring_cqe&) noexcept;

    // Accepting ahead.
    bool accepts_ahead(record&) noexcept;
    std::optional<submitted> accept_from_ahead(record&, operation&) noexcept;
    bool give_connection(record&, operation&, int fd) noexcept;
    void take_connection_ahead(record&, int fd) noexcept;
    void take_accept_error(record&, int error) noexcept;
    static void close_ahead(record&) noexcept;

    // Receiving ahead.
    bool receives_ahead(record&) noexcept;
    std::optional<submitted> read_from_ahead(record&, operation&) noexcept;
    std::optional<submitted> poll_from_ahead(record&, operation&) noexcept;
    void take_bytes(record&, const io_uring_cqe&) noexcept;
    void take_receive_error(record&, int error) noexcept;
    void serve_reader(record&) noexcept;
    bool give_received(record&, operation&) noexcept;
    void drop_received(record&) noexcept;

    std::error_code end(record&) noexcept;
    handle bind_record(record&, int fd, posix::descriptor_type) noexcept;
    /// For posix::open_handle() and its like.
    auto binding() noexcept {
        return [this](record& r, int fd, posix::descriptor_type type) { return bind_record(r, fd, type); };
    }
    std::error_code release(record&, native_handle&) noexcept;

    buffer_pool pool_;   // goes after the ring
    ring ring_;
    const std::size_t most_accepted_;   // connections of a listener that no accept has asked for
    const std::size_t most_received_;   // bytes of a stream, the same
    const bool takes_ahead_;            // either
    posix::wake_fd wake_;
    std::optional<posix::wake_fd> handle_;   // readable when there is news, for an outer loop
    std::atomic<posix::wake_fd*> handle_to_wake_ = nullptr;
    common::handle_table<record> records_;
    record_list listed_;
    operation_list finished_;   // outside wait(), or not handed over yet
    common::extra_pool<extra> extras_;
    std::size_t lent_ = 0;   // operations that the kernel has
    pid_t process_;
    bool started_ = false;
    bool watches_wakes_ = false;
    bool woken_ = false;
    bool is_crowded_ = false;       // the last wait had many answers
    std::error_code close_error_;   // of the last descriptor that went with its last answer
};

}
