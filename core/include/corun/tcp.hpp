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

    /// Takes over a connected socket of another maker, for the current loop. Its flags stay as they are.
    static tcp_stream adopt(corun::native_handle native) {
        return tcp_stream(detail::adopt_handle(native, handle_kind::tcp_stream, "corun: tcp_stream::adopt"));
    }

    /// `co_await` gives the number of bytes that came; waits for the first. Zero is the end (or an empty buffer).
    detail::transfer_request read(bytes buffer) noexcept {
        return {operation_kind::read, object_.target(), detail::transfer_slices(buffer)};
    }

    /// The same into several buffers, filled in order. The list is lent as the buffers are.
    detail::transfer_request read(std::span<const bytes> buffers) noexcept {
        return {operation_kind::read, object_.target(), detail::transfer_slices(buffers)};
    }

    /// `co_await` gives the number of bytes that the system took, perhaps a part; write_all() writes all.
    detail::transfer_request write(const_bytes data) noexcept {
        return {operation_kind::write, object_.target(), detail::transfer_slices(data)};
    }

    /// The same from several buffers, in order. The list is lent as the buffers are.
    detail::transfer_request write(std::span<const const_bytes> data) noexcept {
        return {operation_kind::write, object_.target(), detail::transfer_slices(data)};
    }

    /// Waits until a read would not wait, without lending a buffer. Counts as the reader.
    detail::plain_request readable() noexcept { return {operation_kind::poll, object_.target(), ready::readable}; }

    /// Ends our sending side: the peer reads the end; we still read. Not beside a write.
    detail::plain_request shutdown() noexcept { return {operation_kind::shutdown, object_.target()}; }

    /// Closes it; idempotent. Pending reads and writes end with operation_canceled, or with their real answer if that was first.
    void close() noexcept { (void)object_.close(); }

    /// The same; `co_await` returns once the descriptor is closed, and throws close's error.
    [[nodiscard]] detail::close_awaiter close(time_point deadline) noexcept {
        (void)deadline;
        return detail::close_awaiter(object_.close());
    }

    bool is_open() const noexcept { return object_.is_open(); }

    address local_address() const { return object_.local_address(); }
    address remote_address() const { return object_.remote_address(); }

    /// Sends small pieces at once (TCP_NODELAY).
    void set_nodelay(bool on) { object_.set_option(socket_option::nodelay, on, "corun: set_nodelay"); }
    bool nodelay() const { return object_.option(socket_option::nodelay, "corun: nodelay") != 0; }

    /// Probes an idle connection.
    void set_keep_alive(bool on) { object_.set_option(socket_option::keep_alive, on, "corun: set_keep_alive"); }
    bool keep_alive() const { return object_.option(socket_option::keep_alive, "corun: keep_alive") != 0; }

    /// Sizes of the system's buffers in bytes; the system may round or double them.
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
    int backlog = 0;             ///< connections that wait to be accepted; 0: the system's largest
};

/// Takes connections. Moves only; closed when it is destroyed. Any number of pending accepts, served in order.
class tcp_listener {
public:
    /// Binds and listens, for the current loop. A port of 0 lets the system choose one: local_address() tells.
    static tcp_listener bind(const address& where, const listen_options& options = {});

    /// Takes over a listening socket of another maker, for the current loop. Its flags stay as they are.
    static tcp_listener adopt(corun::native_handle native) {
        return tcp_listener(detail::adopt_handle(native, handle_kind::tcp_listener, "corun: tcp_listener::adopt"));
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

    /// The same; `co_await` returns once the descriptor is closed, and throws close's error.
    [[nodiscard]] detail::close_awaiter close(time_point deadline) noexcept {
        (void)deadline;
        return detail::close_awaiter(queue_ ? queue_->close() : std::error_code());
    }

    bool is_open() const noexcept { return queue_ && queue_->listening().is_open(); }

    address local_address() const { return queue().listening().local_address(); }

    /// The descriptor, still the listener's.
    corun::native_handle native_handle() const { return queue().listening().native(); }

private:
    explicit tcp_listener(detail::io_object&& o) : queue_(new detail::accept_queue(std::move(o))) {}

    detail::accept_queue& queue() const;   // throws if it was moved from
    void drop() noexcept;

    detail::accept_queue* queue_;
};

namespace detail {

/// Opens a socket, connects it, gives the stream. Ended without success, the socket is closed.
class connect_awaiter final : public io_awaiter<connect_awaiter, tcp_stream> {
public:
    explicit connect_awaiter(const address& where) noexcept : io_awaiter(operation_kind::connect, handle()), where_(where) {}

    submitted start(loop_core&) noexcept;
    tcp_stream value() noexcept { return tcp_stream(std::move(socket_)); }
    std::string title() const override { return "connect to " + where_.to_string(); }

private:
    address where_;
    io_object socket_;
};

class [[nodiscard("nothing happens until it is awaited")]] connect_request {
public:
    explicit connect_request(const address& where) noexcept : where_(where) {}
    connect_awaiter operator co_await() && { return connect_awaiter(where_); }

private:
    address where_;
};

}

/// `co_await` gives a tcp_stream that is connected to `where`.
inline detail::connect_request connect(const address& where) noexcept { return detail::connect_request(where); }

}
