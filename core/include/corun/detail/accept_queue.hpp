// accept_queue.hpp - a listening handle and the tasks that wait for its connections: any number, served in order. One of them is
// with the backend, the others stand here (8.2). Out of descriptors, they pause (8.6).
#pragma once

#include <corun/detail/io_object.hpp>
#include <corun/detail/request.hpp>

#include <cstdint>

namespace corun::detail {

class accept_wait;

/// Shared by the listener and its accepts: either may end first.
class accept_queue {
public:
    /// Whether a connection has TCP_NODELAY from its listener, or is given it: an adopted listener is another's, too.
    enum class nodelay : bool { inherited, each };

    accept_queue(io_object&& listening, nodelay) noexcept;
    accept_queue(const accept_queue&) = delete;

    void add_reference() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0)
            delete this;
    }

    io_object& listening() noexcept { return listening_; }

    /// Closes the handle; all that wait end with operation_canceled.
    std::error_code close() noexcept;

    /// The same but for the accept that is with the backend: the handle is the caller's to close.
    io_object give_away() noexcept;

private:
    friend accept_wait;

    struct pause_end : entry {
        explicit pause_end(accept_queue& q) noexcept : entry(&end_pause), queue(&q) {}
        accept_queue* queue;
    };

    ~accept_queue();

    bool is_free(const loop_core& core) noexcept { return !active_ && waiting_.empty() && !is_paused(core); }
    bool is_paused(const loop_core&) noexcept;
    submitted submit(loop_core&, accept_wait&) noexcept;
    void look_at_answer(const loop_core&, const accept_wait&) noexcept;
    void answered(accept_wait&) noexcept;
    void serve_next(loop_core&) noexcept;
    accept_wait& first() noexcept;
    void stand_in_line(task_state&) noexcept;
    void left_line() noexcept;
    void end_line() noexcept;
    void wait_for_descriptor(loop_core&) noexcept;
    void stop_pause() noexcept;
    static void end_pause(entry&, loop*) noexcept;

    io_object listening_;
    std::uint32_t references_ = 1;
    nodelay nodelay_;
    bool paused_ = false;
    accept_wait* active_ = nullptr;   // with the backend, or answered and not resumed yet
    entry_list waiting_;              // tasks behind it, in order of arrival

    // The pause: until the time has come, or this loop has closed a descriptor since it began.
    time_point paused_until_{};
    std::uint64_t closed_before_pause_ = 0;
    pause_end closed_one_;
    pause_end time_came_;
    timer_node timer_;
};

/// A counted reference to an accept_queue.
class accept_queue_ref {
public:
    accept_queue_ref(accept_queue& q) noexcept : queue_(&q) { q.add_reference(); }
    accept_queue_ref(accept_queue_ref&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}
    accept_queue_ref& operator=(accept_queue_ref&&) = delete;
    ~accept_queue_ref() {
        if (queue_)
            queue_->release();
    }
    explicit operator bool() const noexcept { return queue_ != nullptr; }
    accept_queue* operator->() const noexcept { return queue_; }

private:
    accept_queue* queue_;
};

/// Waiting for a connection.
class accept_wait : public io_wait {
public:
    accept_wait(accept_queue_ref&& q, address* where)
        : io_wait(operation_kind::accept, q->listening().target().checked()), queue_(std::move(q)) {
        peer = where;
    }
    interruption interrupt(task_state*&) noexcept override;

    submitted start(loop_core& core) noexcept { return queue_->submit(core, *this); }

protected:
    ~accept_wait();

    /// Not behind others, either.
    bool may_begin(loop_core& core) const { return io_wait::may_begin(core) && queue_->is_free(core); }
    bool joins_line(task_state&) noexcept;

    /// For await_resume: the next one is served; true if this one ended with a request.
    bool left();

    /// The connection, once.
    io_object take_connection() noexcept;

private:
    friend accept_queue;

    /// Not with the backend yet.
    bool stands_in_line() const noexcept {
        return node_ && !on_pool_ && state == operation_state::idle && wait_state_ == wait_state::waiting;
    }

    accept_queue_ref queue_;
    bool taken_ = false;
};

/// Gives a Stream, which is made of an io_object.
template <class Stream>
class accept_awaiter final : public io_awaiter<accept_awaiter<Stream>, Stream, accept_wait> {
public:
    using io_awaiter<accept_awaiter, Stream, accept_wait>::io_awaiter;

    Stream value() noexcept { return Stream(this->take_connection()); }
};

template <class Stream>
using accept_request = request<accept_awaiter<Stream>, accept_queue_ref, address*>;

}
