// faults.hpp - system calls that fail, are interrupted, or do less than they were asked to. Linked into a program, the C library's
// functions of these names are ours (interposer.cpp), also for libuv and Asio; what liburing asks of the kernel is not seen.
#pragma once

#include <cstddef>
#include <string>

namespace faults {

/// What goes wrong all the time. The environment's CORUN_FAULTS names one: "F-01".
struct plan {
    int interrupted = 0;            ///< percent of calls that a signal may interrupt answer EINTR
    int would_block = 0;            ///< percent of tries on a socket that answer EAGAIN, although they need not
    bool tiny = false;              ///< reads and writes of sockets move one byte
    int lost_connections = 0;       ///< percent of accepts that answer ECONNABORTED, EPROTO or ENETDOWN
    bool takes_lost_ones = false;   ///< such a connection is really gone: its peer sees the end
    int odd_wakes = 0;              ///< percent of writes to an eventfd that are made twice, or a millisecond late
};

/// Calls of a kind are counted, and one of them fails.
enum class calls : unsigned char {
    none,
    making_descriptors,   ///< socket, accept, eventfd, epoll_create1, pipe2
    taking_memory,        ///< send, recv, accept, connect, listen
    registering,          ///< epoll_ctl, but for taking a descriptor out
    moving_bytes,         ///< send and recv in all their forms
};

/// The plan by its id in the fault matrix; throws std::invalid_argument for an unknown one.
plan plan_of(const std::string& id);

/// While it lives, the plan is in force in the whole process, instead of any other.
class in_force {
public:
    explicit in_force(const plan&);
    in_force(const in_force&) = delete;
    ~in_force();

private:
    plan before_;
};

/// While it lives, the `nth` call of that kind from its making on, counted from 1, answers `error`.
class failing_call {
public:
    failing_call(calls kind, std::size_t nth, int error);
    failing_call(const failing_call&) = delete;
    ~failing_call();

    /// True if it has come to that.
    bool has_failed() const noexcept;
};

/// How many faults there were so far.
std::size_t count() noexcept;

}
