// tcp.hpp - TCP: listeners, streams, connect.
#pragma once

#include <corun/address.hpp>
#include <corun/as_result.hpp>
#include <corun/buffer.hpp>
#include <corun/detail/accept_queue.hpp>
#include <corun/detail/stream_requests.hpp>

#include <span>
#include <string>

namespace corun {

/// A connection. Moves only; closed when it is destroyed. One reader and one writer at a time, else
/// usage_error(errc::busy). Belongs to its loop's thread; errors are thrown as std::system_error, or given by as_result().
class tcp_stream {
public:
    /// A closed one.
    tcp_stream() noexcept = default;
    explicit tcp_stream(detail::io_object&& o) noexcept : object_(std::move(o)) {}

    /// Takes over a connected socket of another maker, for the current loop. Its flags and options stay as they are. Throws
    /// std::system_error: not_connected, wrong_protocol_type or not_a_socket if it is something else, device_or_resource_busy if an object
    /// of this loop has it already (adopt a duplicate).
    static tcp_stream adopt(corun::native_handle native) {
        return tcp_stream(detail::adopt_handle(native, handle_kind::tcp_stream, "corun: tcp_stream::adopt"));
    }

    /// `co_await` gives the number of bytes that came; waits for the first. Zero is the end (or an empty buffer).
    detail::transfer_request read(bytes buffer) noexcept { return {object_.target(), {operation_kind::read, buffer}}; }

    /// The same into several buffers, filled in order. The list is lent as the buffers are.
    detail::transfer_request read(std::span<const bytes> buffers) noexcept { return {object_.target(), {operation_kind::read, buffers}}; }

    /// For the compiler's text only.
    template <detail::memory_of_others Memory>
    detail::transfer_request read(Memory&&) noexcept {
        static_assert(!detail::memory_of_others<Memory>, "corun: read() takes corun::bytes: read(as_writable_bytes(memory))");
        return read(bytes());
    }

    /// `co_await` gives the number of bytes that the system took, perhaps a part; write_all() writes all.
    detail::transfer_request write(const_bytes data) noexcept { return {object_.target(), {operation_kind::write, data}}; }

    /// The same from several buffers, in order. The list is lent as the buffers are.
    detail::transfer_request write(std::span<const const_bytes> data) noexcept { return {object_.target(), {operation_kind::write, data}}; }

    /// For the compiler's text only.
    template <detail::memory_of_others Memory>
    detail::transfer_request write(Memory&&) noexcept {
        static_assert(!detail::memory_of_others<Memory>, "corun: write() takes corun::const_bytes: write(as_bytes(text))");
        return write(const_bytes());
    }

    /// Waits until a read would not wait, without lending a buffer. Counts as the reader.
    detail::io_request<detail::poll_kind> readable() noexcept { return {object_.target(), {ready::readable}}; }

    /// Ends our sending side: the peer reads the end; we still read. Not beside a write.
    detail::io_request<detail::shutdown_kind> shutdown() noexcept { return {object_.target(), {}}; }

    /// Closes it; idempotent. Pending reads and writes end with operation_canceled, or with their real answer if that was first.
    void close() noexcept { (void)object_.close(); }

    /// Closes it; `co_await` begins that, returns once the descriptor is closed, and throws close's error; timed_out if the system still
    /// has the descriptor at the deadline: it is closed later. A request ends the wait, not the close.
    detail::close_request close(time_point deadline) noexcept { return {std::move(object_), deadline}; }

    /// False once it was closed, released or moved from.
    bool is_open() const noexcept { return object_.is_open(); }

    /// The addresses of both ends; std::system_error if the system can't tell (not_connected), or bad_file_descriptor once closed.
    address local_address() const { return object_.local_address(); }
    address remote_address() const { return object_.remote_address(); }

    /// Sends small pieces at once (TCP_NODELAY); the default of streams that corun makes.
    void set_nodelay(bool on) { object_.set_option(socket_option::nodelay, on, "corun: set_nodelay"); }
    bool nodelay() const { return object_.option(socket_option::nodelay, "corun: nodelay") != 0; }

    /// Probes an idle connection.
    void set_keep_alive(bool on) { object_.set_option(socket_option::keep_alive, on, "corun: set_keep_alive"); }
    bool keep_alive() const { return object_.option(socket_option::keep_alive, "corun: keep_alive") != 0; }

    /// Sizes of the system's buffers in bytes, at least 1, else std::system_error (invalid_argument); the system may round or double them.
    void set_receive_buffer_size(int size) { object_.set_option(socket_option::receive_buffer, size, "corun: set_receive_buffer_size"); }
    int receive_buffer_size() const { return object_.option(socket_option::receive_buffer, "corun: receive_buffer_size"); }
    void set_send_buffer_size(int size) { object_.set_option(socket_option::send_buffer, size, "corun: set_send_buffer_size"); }
    int send_buffer_size() const { return object_.option(socket_option::send_buffer, "corun: send_buffer_size"); }

    /// True: close() resets the connection and drops what was not sent.
    void set_reset_on_close(bool on) { object_.set_option(socket_option::linger_zero, on, "corun: set_reset_on_close"); }

    /// The descriptor, still the stream's.
    corun::native_handle native_handle() const { return object_.native(); }

    /// Gives the descriptor away; the stream is closed then. Throws while something is pending.
    corun::native_handle release() { return object_.release(); }

private:
    detail::io_object object_;
};

/// Options of tcp_listener::bind().
struct listen_options {
    bool reuse_address = true;   ///< bind although old connections of the port linger
    bool reuse_port = false;     ///< several listeners share the port
    bool v6_only = false;        ///< an IPv6 listener takes no IPv4
    bool nodelay = true;         ///< accepted streams send small pieces at once (TCP_NODELAY)
    int backlog = 0;             ///< connections that wait to be accepted; 0: the system's largest
};

/// Takes connections. Moves only; closed when it is destroyed. Any number of pending accepts, served in order.
class tcp_listener {
public:
    /// Binds and listens, for the current loop. A port of 0 lets the system choose one: local_address() tells.
    static tcp_listener bind(const address& where, const listen_options& options = {});

    /// Takes over a listening socket of another maker, for the current loop. Its flags stay as they are; accepted streams send small
    /// pieces at once. Throws std::system_error: device_or_resource_busy if an object of this loop has it already (adopt a duplicate).
    static tcp_listener adopt(corun::native_handle native) {
        return tcp_listener(detail::adopt_handle(native, handle_kind::tcp_listener, "corun: tcp_listener::adopt"),
                            detail::accept_queue::nodelay::each);
    }

    tcp_listener(tcp_listener&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    tcp_listener& operator=(tcp_listener&& other) noexcept {
        if (this != &other) {
            drop();
            queue_ = std::exchange(other.queue_, nullptr);
        }
        return *this;
    }
    ~tcp_listener() { drop(); }

    /// `co_await` gives the next connection, a tcp_stream. Out of descriptors: too_many_files_open once, then it waits until
    /// this loop has closed a descriptor, or 100 ms (8.6).
    detail::accept_request<tcp_stream> accept() { return {queue(), nullptr}; }

    /// The same; the peer's address is written to `peer`, which is lent until the answer.
    detail::accept_request<tcp_stream> accept(address& peer) { return {queue(), &peer}; }

    /// Closes it; idempotent. Pending accepts end with operation_canceled.
    void close() noexcept {
        if (queue_)
            (void)queue_->close();
    }

    /// Closes it; `co_await` returns once the descriptor is closed, as tcp_stream's does.
    detail::close_request close(time_point deadline) noexcept { return {queue_ ? queue_->give_away() : detail::io_object(), deadline}; }

    /// False once it was closed, released or moved from.
    bool is_open() const noexcept { return queue_ && queue_->listening().is_open(); }

    /// Where it listens, with the port that the system chose for 0.
    address local_address() const { return queue().listening().local_address(); }

    /// The descriptor, still the listener's.
    corun::native_handle native_handle() const { return queue().listening().native(); }

private:
    explicit tcp_listener(detail::io_object&& o, detail::accept_queue::nodelay n = detail::accept_queue::nodelay::inherited)
        : queue_(new detail::accept_queue(std::move(o), n)) {}

    detail::accept_queue& queue() const;   // throws if it was moved from
    void drop() noexcept;

    detail::accept_queue* queue_;
};

/// Options of connect().
struct connect_options {
    bool nodelay = true;   ///< sends small pieces at once (TCP_NODELAY)
};

namespace detail {

/// Opens a socket, connects it, gives the stream. Ended without success, the socket is closed.
class connect_awaiter final : public io_awaiter<connect_awaiter, tcp_stream> {
public:
    connect_awaiter(const address& where, connect_options options) noexcept
        : io_awaiter(operation_kind::connect, handle()), where_(where), options_(options) {}

    submitted start(loop_core&) noexcept;
    tcp_stream value() noexcept { return tcp_stream(std::move(socket_)); }
    std::string title() const override { return "connect to " + where_.to_string(); }

private:
    address where_;
    connect_options options_;
    io_object socket_;
};

using connect_request = request<connect_awaiter, address, connect_options>;

}

/// `co_await` gives a tcp_stream that is connected to `where`.
inline detail::connect_request connect(const address& where, connect_options options = {}) noexcept { return {where, options}; }

}
