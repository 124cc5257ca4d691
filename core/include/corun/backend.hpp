// backend.hpp - what the core asks of an operating system: the seam.
//
// Called on the loop's thread only, except wake(), perform() and block(). Operations stay where they are until they finish: the backend may
// keep pointers to them and to their buffers. A backend never resumes a coroutine, calls user code or owns a timer.
#pragma once

#include <corun/address.hpp>
#include <corun/clock.hpp>
#include <corun/default_backend.hpp>
#include <corun/operation.hpp>
#include <corun/result.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

namespace corun {

/// A descriptor or socket of the operating system.
using native_handle = std::intptr_t;

/// The native handle that is none.
inline constexpr native_handle no_native_handle = -1;

/// What open() makes.
enum class socket_type : std::uint8_t { tcp_v4, tcp_v6 };

/// What adopt() takes over.
enum class handle_kind : std::uint8_t { tcp_stream, tcp_listener };

/// What wait() found.
enum class waited : std::uint8_t {
    news,      ///< operations finished, somebody called wake(), or something is still to be asked of the system
    nothing,   ///< the deadline came: the handle, or block(), tells of what comes
    never,     ///< only simulation, only for time_point::max(): no event of its own can come
};

/// What became of an operation that was submitted.
enum class submitted : std::uint8_t {
    finished,   ///< the answer is in it
    pending,    ///< it will appear once in wait()'s list
    blocking,   ///< the core calls perform() on its thread pool
};

/// A small synchronous request about a handle; see backend::control().
enum class control_kind : std::uint8_t {
    bind,             ///< binds to `*where`
    listen,           ///< listens; `value` is the backlog, 0 the system's largest
    local_address,    ///< writes the bound address into `*where`
    remote_address,   ///< writes the peer's address into `*where`
    set_option,       ///< sets `option` to `value`
    get_option,       ///< reads `option` into `value`
    native,           ///< writes the native handle into `native`; the backend goes on owning it
    release,          ///< gives the descriptor away: writes it into `native`, the handle ends
};

/// An option of a socket; values are 0 or 1, or bytes where said.
enum class socket_option : std::uint8_t {
    nodelay,          ///< send small pieces at once; what a listener accepts inherits it
    keep_alive,       ///< probe an idle connection
    reuse_address,    ///< bind although old connections of the port linger
    reuse_port,       ///< several listeners share a port
    receive_buffer,   ///< bytes; the system may round or double it
    send_buffer,      ///< bytes; the system may round or double it
    linger_zero,      ///< 1: close resets the connection and drops what was not sent
    v6_only,          ///< an IPv6 listener takes no IPv4
};

/// The argument of backend::control().
struct control_request {
    explicit control_request(control_kind k) noexcept : kind(k) {}

    control_kind kind;
    socket_option option = socket_option::nodelay;   ///< of set_option and get_option
    int value = 0;                                   ///< of an option, or listen's backlog
    address* where = nullptr;                        ///< read by bind, written by the two addresses
    native_handle native = no_native_handle;         ///< written by native and release
};

class backend;

/// Where interrupts (Ctrl-C and the like) are counted; the handler touches nothing but this and wake().
struct interrupt_counter {
    std::atomic<int> count = 0;          ///< interrupts so far
    std::atomic<int> signal = 0;         ///< the number of the last one
    std::atomic<int> default_after{2};   ///< an interrupt that would raise count above this gets the signal's default action
    std::atomic<int> dumps = 0;          ///< wishes to see the tasks so far
    std::atomic<int> arrivals = 0;       ///< both together; the last to be counted
    backend* to_wake = nullptr;          ///< woken by each one
    bool termination = false;            ///< also catch the request to terminate (SIGTERM)
    bool quit = false;                   ///< also catch the wish to see the tasks (SIGQUIT)
};

/// For backends of systems that fork: called in the forked child, on its only thread. The parent's loops are closed ones there (10).
void note_fork() noexcept;

/// What a simulation decides beyond I/O; see backend::simulated().
class simulation {
public:
    /// True if the ready tasks of a turn run in a drawn order instead of first in, first out.
    virtual bool shuffles_ready() const noexcept = 0;

    /// One of 0 to n - 1, from the run's stream of choices; n is at least 1.
    virtual std::uint32_t choose(std::uint32_t n) noexcept = 0;

protected:
    ~simulation() = default;
};

/// An operating system's asynchronous I/O, completion style: a card in, an answer out. All functions are noexcept.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;   // no operation is pending any more

    /// Monotonic time; in simulation, the virtual one.
    virtual time_point now() const noexcept = 0;

    /// Appends every finished operation in the order it finished; blocks no longer than `deadline` (a past one: not at all; max(): until
    /// something comes).
    virtual waited wait(time_point deadline, operation_list& finished) noexcept = 0;

    /// Makes the current wait(), or the next one, return. Any thread, any signal handler; many calls may count as one.
    virtual void wake() noexcept = 0;

    /// Begins an operation; exactly one outcome each. Errors are answers.
    virtual submitted submit(operation&) noexcept = 0;

    /// Does an operation that was answered `blocking`, on a thread of the pool: touches nothing but the card, and writes its answer with
    /// operation::answer_with().
    virtual void perform(operation& o) noexcept { o.answer_with(detail::native_code(std::errc::operation_not_supported)); }

    /// An operation that was answered `blocking` is back from the pool: performed, or withdrawn before a thread had begun with it. Until
    /// then its descriptor must not be closed, though close() may have been called. A backend whose perform() outlasts the loop is not
    /// destroyed.
    virtual void take_back(operation&) noexcept {}

    /// Asks a pending operation to end: it finishes once, with operation_canceled or with its real answer. True: it is already in the next
    /// wait()'s list.
    virtual bool cancel(operation&) noexcept = 0;

    /// A new socket: close-on-exec, unable to raise SIGPIPE, never blocking.
    virtual result<handle> open(socket_type) noexcept = 0;

    /// Takes over an existing descriptor without changing its flags; on error it stays the caller's. One that a handle of this backend has
    /// already is device_or_resource_busy, a stream that never was connected not_connected.
    virtual result<handle> adopt(native_handle, handle_kind) noexcept = 0;

    /// A synchronous request about a handle; never blocks.
    virtual std::error_code control(handle, control_request&) noexcept = 0;

    /// Ends the handle; pending operations finish with operation_canceled or their real answer. Answers close's error.
    virtual std::error_code close(handle) noexcept = 0;

    /// A descriptor that polls readable when wait() has news, once a wait() has answered `nothing`; no_native_handle where there is none.
    virtual native_handle wait_handle() noexcept = 0;

    /// Returns when wait() would have news, or at the deadline; after a wait() that answered `nothing`. For a guest's helper thread;
    /// touches no operation.
    virtual void block(time_point deadline) noexcept = 0;

    /// Borrowed loops: true, and from now on the host turns its loop: `call(context)` is called there when wait() has news, and a wait()
    /// that must not block only collects. Null ends that. False where the backend's loop is its own: nothing is called.
    virtual bool on_news(void (*call)(void*) noexcept, void* context) noexcept = 0;

    /// Counts interrupts in `counter` if their disposition is the default one and no other loop of the process has them; true if so (2.1).
    virtual bool catch_interrupts(interrupt_counter& counter) noexcept = 0;

    /// Restores what catch_interrupts() found, if it is still ours. Returns when no handler uses the counter any more.
    virtual void release_interrupts(interrupt_counter& counter) noexcept = 0;

    /// Not null where time is virtual and nothing outside the loop's thread takes part: calls for pool threads are then made on the loop's
    /// thread, when nothing else is runnable and before the clock moves.
    virtual simulation* simulated() noexcept { return nullptr; }

    /// The backend's name: "epoll".
    virtual std::string_view name() const noexcept = 0;
};

}
