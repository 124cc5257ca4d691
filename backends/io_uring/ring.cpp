// ring.cpp - setting up with as much as the kernel has, and the one system call.
#include "ring.hpp"

#include "../common/clock.hpp"
#include "../posix/fatal.hpp"

#include <corun/errors.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <new>
#include <string>

namespace corun::uring {
namespace {

/// Refused for good, by the kernel's age, its settings or a filter; everything else is a shortage.
bool is_refusal(int error) noexcept {
    return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL || error == EOPNOTSUPP;
}

[[noreturn]] void fail(int error, const std::string& what) {
    if (!is_refusal(error))
        throw std::system_error(error, std::system_category(), "corun: " + what);
    throw backend_unavailable({error, std::system_category()},
                              "corun: io_uring can't be used here: " + what +
                                  ". It needs Linux 5.15, kernel.io_uring_disabled = 0, and a container whose seccomp filter lets it pass; "
                                  "or choose another backend: build with CORUN_BACKEND=epoll, or run with make_epoll()");
}

}

ring::ring(const io_uring_options& options) {
    set_up(options);
    try {
        test_self();
    } catch (...) {
        ::io_uring_queue_exit(&ring_);
        throw;
    }
}

void ring::set_up(const io_uring_options& options) {
    constexpr unsigned always = IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
    constexpr unsigned since_5_19 = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_COOP_TASKRUN;
    // Answers are only ever prepared when this thread asks for them.
    constexpr unsigned since_6_1 =
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int error = EINVAL;
    for (const unsigned more : {since_6_1, since_5_19, 0U}) {
        if (more != 0 && options.basic)
            continue;
        io_uring_params p{};
        p.flags = always | more;
        p.cq_entries = std::max(options.completions, options.submissions);
        error = -::io_uring_queue_init_params(options.submissions, &ring_, &p);
        has_poll_first_ = more != 0;
        if (error != EINVAL)
            break;
    }
    if (error != 0)
        fail(error, "io_uring_setup failed");
}

/// A filter may let io_uring_setup pass and stop what comes after it; a kernel may be too old.
void ring::test_self() const {
    constexpr unsigned needed =
        IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_RSRC_TAGS;
    if ((ring_.features & needed) != needed)
        fail(ENOSYS, "this kernel's is too old");

    // Not started yet, the kernel has to answer that; a filter gives another answer.
    const int entered = ::io_uring_enter(static_cast<unsigned>(ring_.ring_fd), 0, 0, IORING_ENTER_GETEVENTS, nullptr);
    if (entered < 0 && entered != -EBADFD)
        fail(-entered, "io_uring_enter failed");

    constexpr unsigned most_opcodes = 256;
    alignas(io_uring_probe) std::array<std::byte, sizeof(io_uring_probe) + most_opcodes * sizeof(io_uring_probe_op)> memory{};
    auto* const probe = ::new (memory.data()) io_uring_probe;
    if (const int error = -::io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_PROBE, probe, most_opcodes))
        fail(error, "io_uring_register failed");
    for (const int opcode : {IORING_OP_RECV, IORING_OP_RECVMSG, IORING_OP_SEND, IORING_OP_SENDMSG, IORING_OP_ACCEPT, IORING_OP_POLL_ADD,
                             IORING_OP_ASYNC_CANCEL})
        if (!::io_uring_opcode_supported(probe, opcode))
            fail(EOPNOTSUPP, "the kernel lacks its opcode " + std::to_string(opcode));
}

void ring::start() noexcept {
    // liburing 2.3 declares a function for it, and forgets to export it.
    check(::io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0));
}

io_uring_sqe* ring::entry() noexcept {
    io_uring_sqe* found = ::io_uring_get_sqe(&ring_);
    if (!found) {
        flush();
        found = ::io_uring_get_sqe(&ring_);
    }
    return found;
}

void ring::enter(time_point deadline) noexcept {
    if (deadline == no_deadline) {
        check(::io_uring_submit_and_wait(&ring_, 1));
        return;
    }
    const duration left = common::time_until(deadline);
    if (left == duration::zero()) {
        if (::io_uring_sq_ready(&ring_) > 0 || has_more())
            flush();
        return;
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    __kernel_timespec timeout{seconds.count(), (left - seconds).count()};
    io_uring_cqe* first = nullptr;
    check(::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr));
}

void ring::flush() noexcept { check(::io_uring_submit_and_get_events(&ring_)); }

/// Interrupted, out of time, or the kernel has no room just now: the next call goes on. Everything else could be told to no caller.
void ring::check(int returned) noexcept {
    switch (returned) {
    case -EBADF:
    case -EOPNOTSUPP:
    case -ENXIO:
    case -EINVAL:
    case -EBADFD: posix::fatal("corun: the descriptor on which a loop waits was closed or replaced by somebody else\n");
    case -EEXIST: posix::fatal("corun: a loop on io_uring was moved to another thread; it stays on the one where it began\n");
    default: break;
    }
}

}
