// accept_queue.cpp - which accept is next, and the pause when the descriptors have run out.
#include <corun/detail/accept_queue.hpp>
#include <corun/loop.hpp>

#include <chrono>

namespace corun::detail {
namespace {

constexpr duration pause_length = std::chrono::milliseconds(100);

/// Nothing but waiting helps: the accept of every system fails before it looks whether somebody is there.
bool is_exhaustion(std::error_code e) noexcept {
    return e == std::errc::too_many_files_open || e == std::errc::too_many_files_open_in_system || e == std::errc::no_buffer_space ||
           e == std::errc::not_enough_memory;
}

void take_out(entry& e) noexcept {
    if (e.is_linked())
        e.unlink();
}

}

accept_queue::accept_queue(io_object&& listening, nodelay n) noexcept
    : listening_(std::move(listening)), nodelay_(n), closed_one_(*this), time_came_(*this), timer_(time_came_) {}

accept_queue::~accept_queue() { stop_pause(); }

std::error_code accept_queue::close() noexcept {
    stop_pause();
    const std::error_code error = listening_.close();
    end_line();
    return error;
}

io_object accept_queue::give_away() noexcept {
    stop_pause();
    io_object given = std::move(listening_);
    end_line();
    return given;
}

void accept_queue::end_line() noexcept {
    while (!waiting_.empty()) {
        accept_wait& a = first();
        a.finish(native_code(std::errc::operation_canceled));
        a.end(accept_wait::wait_state::given);
    }
}

submitted accept_queue::submit(loop_core& core, accept_wait& a) noexcept {
    const submitted s = core.backend->submit(a);
    if (s == submitted::finished)
        look_at_answer(core, a);
    else
        active_ = &a;
    return s;
}

void accept_queue::look_at_answer(const loop_core& core, const accept_wait& a) noexcept {
    if (a.error == 0 || !is_exhaustion(a.error_code()))
        return;
    paused_ = true;
    paused_until_ = saturating_add(core.now(), pause_length);
    closed_before_pause_ = core.figures.handles_closed;
}

/// The answer of the one that was with the backend has reached its task.
void accept_queue::answered(accept_wait& a) noexcept {
    if (active_ != &a)
        return;
    active_ = nullptr;
    if (loop_core* const core = listening_.core()) {
        look_at_answer(*core, a);
        serve_next(*core);
    }
}

void accept_queue::serve_next(loop_core& core) noexcept {
    while (!active_ && !waiting_.empty()) {
        if (is_paused(core)) {
            wait_for_descriptor(core);
            return;
        }
        accept_wait& a = first();
        a.node_->unlink();
        if (a.is_finished(core, submit(core, a)))
            a.end(accept_wait::wait_state::given);
    }
}

/// The one that has waited longest in line.
accept_wait& accept_queue::first() noexcept { return static_cast<accept_wait&>(*static_cast<task_state&>(waiting_.front()).waiting_on); }

void accept_queue::stand_in_line(task_state& t) noexcept {
    waiting_.push_back(t);
    if (!active_)
        wait_for_descriptor(*t.core);
}

void accept_queue::left_line() noexcept {
    if (waiting_.empty())
        stop_pause();
}

bool accept_queue::is_paused(const loop_core& core) noexcept {
    if (paused_ && (core.figures.handles_closed != closed_before_pause_ || core.now() >= paused_until_))
        paused_ = false;
    return paused_;
}

void accept_queue::wait_for_descriptor(loop_core& core) noexcept {
    if (timer_.is_armed() || closed_one_.is_linked() || time_came_.is_linked())
        return;
    try {
        core.arm(timer_, paused_until_, core.now());
        core.starved.push_back(closed_one_);
    } catch (const std::bad_alloc&) {
        core.schedule(time_came_);   // no memory for a timer: no pause
    }
}

/// No accept waits for the end of the pause any more; the pause itself goes on.
void accept_queue::stop_pause() noexcept {
    take_out(closed_one_);
    take_out(time_came_);
    if (loop_core* const core = listening_.core(); core && timer_.is_armed())
        core->disarm(timer_);
}

/// There is a loop: while a pause is awaited an accept stands in the line, and none does any more when a loop drops its entries.
void accept_queue::end_pause(entry& e, loop* l) noexcept {
    accept_queue& q = *static_cast<pause_end&>(e).queue;
    q.stop_pause();
    q.paused_ = false;
    q.serve_next(core_of(*l));
}

accept_wait::~accept_wait() {
    if (queue_->active_ == this)
        queue_->active_ = nullptr;
    // A frame that is destroyed while it waits, or before it could take its connection.
    if (stands_in_line()) {
        node_->unlink();
        queue_->left_line();
    }
    if (node_ && state == operation_state::finished && !has_failed() && accepted && !taken_) {
        loop_core& core = *waiting_task()->core;   // the listener may be closed, and know none
        core.ask_backend();
        core.backend->close(accepted);
    }
}

bool accept_wait::joins_line(task_state& t) noexcept {
    if (queue_->is_free(*t.core) || !queue_->listening().is_open())
        return false;
    queue_->stand_in_line(t);
    return true;
}

interruption accept_wait::interrupt(task_state*& joined) noexcept {
    if (!stands_in_line())
        return io_wait::interrupt(joined);
    end(wait_state::interrupted);
    queue_->left_line();
    return interruption::taken;
}

bool accept_wait::left() {
    const bool by_request = io_wait::left();
    queue_->answered(*this);
    return by_request;
}

io_object accept_wait::take_connection() noexcept {
    taken_ = true;
    io_object connection(this_core(), accepted);
    if (queue_->nodelay_ == accept_queue::nodelay::each) {
        control_request r(control_kind::set_option);
        r.value = 1;
        (void)connection.control(r);   // fails for a connection that has gone: its operations tell
    }
    return connection;
}

}
