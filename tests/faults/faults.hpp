// faults.hpp - system calls that fail, are interrupted, or do less than they were asked to. Linked into a program, the C library's
// functions of these names are ours (interposer.cpp), also for libuv and Asio, and so are liburing's (rings.cpp).
#pragma once

#include <cstddef>
#include <string>

namespace faults {

/// What goes wrong all the time. The environment's CORUN_FAULTS names one: "F-01", or "F-01,seed=7".
struct plan {
    int interrupted = 0;            ///< percent of calls that a signal may interrupt answer EINTR
    int would_block = 0;            ///< percent of tries on a socket that answer EAGAIN, although they need not
    bool tiny = false;              ///< reads and writes of sockets move one byte
    int lost_connections = 0;       ///< percent of accepts that answer ECONNABORTED, EPROTO or ENETDOWN
    bool takes_lost_ones = false;   ///< such a connection is really gone: its peer sees the end
    int odd_wakes = 0;              ///< percent of writes to an eventfd that are made twice, or a millisecond late
    int refused_wakes = 0;          ///< percent of writes to an eventfd that answer EAGAIN
    bool is_storm = false;          ///< 5,000 signals a second; of the environment's plan only
    int disordered = 0;             ///< percent of a ring's batches of answers that change places, and of which some come later
    bool small_rings = false;       ///< rings take 4 requests and 4 or 8 answers
    int refused_enters = 0;         ///< percent of calls that enter a ring that answer EAGAIN, EBUSY or EINTR
};

/// Calls of a kind are counted, and one of them fails.
enum class calls : unsigned char {
    none,
    making_descriptors,   ///< socket, accept, eventfd, epoll_create1, timerfd_create, pipe2, a ring
    taking_memory,        ///< send, recv, accept, connect, listen, a ring
    registering,          ///< epoll_ctl, but for taking a descriptor out; entering a ring
    moving_bytes,         ///< send and recv in all their forms, and how a connect came out
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
