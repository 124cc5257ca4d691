// guest.cpp - a loop's turns in a host's hands: prepare, sleep, dispatch.
#include "run/run_course.hpp"

#include <corun/detail/inbox.hpp>
#include <corun/guest.hpp>
#include <corun/inspect.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace corun {
namespace {

thread_local guest* guest_here = nullptr;

/// A backend that has something to ask of the system after as many waits goes on doing so in its host's next turn.
constexpr unsigned most_looks = 4;

constexpr const char* thread_text =
    "this corun::guest was made on another thread; make, start, turn and destroy a guest on one thread (no io_context or strand that "
    "several threads run), and reach it from the others with get_loop().ref().post(), submit() and request_stop()";

}

guest* guest::here() noexcept { return guest_here && !guest_here->is_in_child() ? guest_here : nullptr; }

void guest::check_thread() const {
    if (guest_here != this)
        detail::throw_usage(errc::wrong_thread, thread_text);
}

void guest::require_thread() const noexcept {
    if (guest_here == this) [[likely]]
        return;
    std::fprintf(stderr, "%s\n", thread_text);
    std::terminate();
}

guest::entered::entered(guest& g) noexcept : outer_(loop::exchange_current(g.loop_)) {}

guest::entered::~entered() { loop::exchange_current(outer_); }

guest::stop_request::stop_request(guest& g) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          auto& request = static_cast<stop_request&>(e);
          const cancel_reason made_for = request.why;
          request.made = phase::idle;
          if (turning)
              request.to.stop_main(made_for);
      }),
      to(g) {}

guest::guest(run_options&& options, std::unique_ptr<backend> (*make_default)()) {
    if (is_here())
        detail::throw_usage(errc::nested_run, "a corun::guest lives on this thread already; spawn() onto it: many roots, one guest");
    const bool handles_interrupts = options.handle_interrupts_.value_or(false);
    runner_.reset(new runner(std::move(options), make_default));
    runner_->handle_interrupts_ = handles_interrupts;
    loop_ = runner_->loop_.get();
    if (core().backend->simulated())
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                                "corun: a guest can't live on a simulated backend, whose time moves only while its own run() waits");
    live_here(*core().backend);
}

guest::guest(detail::run_course& course) : loop_(&course.turning()), outer_(loop::exchange_current(nullptr)), course_(&course) {
    live_here(*core().backend);
}

void guest::live_here(backend& b) {
    if (b.on_news(&guest::on_news, this)) {
        news_ = guest_news::host_loop;
    } else if (handle_ = b.wait_handle(); handle_ != no_native_handle) {
        news_ = guest_news::handle;
    }
    guest_here = this;
    detail::set_guest_core(&core());
}

guest::~guest() {
    require_thread();
    const bool in_child = is_in_child();
    if (!in_child && (dispatching_ || (course_ && !finished_))) {
        // One after the other: the first needs no memory.
        std::fputs(dispatching_
                       ? "corun: a guest was destroyed by a task or callback of its own; let on_done or its host destroy it\n"
                       : "corun: a guest was destroyed before its run was over; call request_stop() and drain() before it goes, and "
                         "set run_options::shutdown_grace if main may wait for the host\n",
                   stderr);
        try {
            std::fputs(dump_tasks(*loop_).c_str(), stderr);
        } catch (...) {
            std::fputs("(no memory to print its tasks)\n", stderr);
        }
        std::terminate();
    }
    detach();
    guest_here = nullptr;
    detail::set_guest_core(nullptr);
    if (is_gone_)
        *is_gone_ = true;
    if (in_child)
        (void)at_end_.release();
    else
        core().backend->on_news(nullptr, nullptr);
    if (outer_)
        loop::exchange_current(outer_);
    runner_.reset();   // before what its loop may still have in its queues
}

void guest::on_news(void* self) noexcept {
    detail::loop_core& core = static_cast<guest*>(self)->core();
    core.ask_backend();   // asleep or not: the next wait has something
}

void guest::attach(wake_hook hook) {
    check_thread();
    if (has_host_)
        detail::throw_usage(errc::already_set, "this corun::guest has a host; detach() from that one first");
    if (!hook.call && news_ != guest_news::handle)
        detail::throw_usage(errc::invalid_argument, "this corun::guest has no handle to be watched (news()); attach() with a wake_hook");
    hook_ = hook;
    has_host_ = true;
    is_new_to_host_ = true;
    core().inbox->wake_by(hook.call, hook.context);
}

void guest::detach() noexcept {
    require_thread();
    hook_ = {};
    has_host_ = false;
    if (is_in_child())
        core().hosting.lent_to = nullptr;   // the parent's thread
    core().take_backend_back();
    if (!is_in_child())
        core().inbox->wake_by(nullptr, nullptr);
}

void guest::prepare_start() {
    check_thread();
    if (course_)
        detail::throw_usage(errc::already_set, "this corun::guest has been started; spawn() further roots");
    own_course_ = std::make_unique<detail::run_course>(*loop_, runner_->shutdown_grace_, runner_->pool_grace_);
}

void guest::begin(detail::task_state& main, std::unique_ptr<completion> at_end) noexcept {
    course_ = own_course_.get();
    course_->begin(main, true);
    at_end_ = std::move(at_end);
    if (runner_->handle_interrupts_)
        loop_->interrupts_.catch_them(runner_->stop_on_termination_);
    if (is_asked_to_stop_)
        course_->request_stop(asked_to_stop_);
    else if (stop_.made == stop_request::phase::made)   // on its way through the inbox
        stop_main(stop_.why);
}

/// The first request is kept until there is a main; the others are the same one.
void guest::stop_main(const cancel_reason& why) noexcept {
    if (std::exchange(is_asked_to_stop_, true))
        return;
    asked_to_stop_ = why;
    if (course_)
        course_->request_stop(why);
}

/// A forked child has its parent's guest before it, and leaves it alone.
bool guest::is_in_child() const noexcept { return core().inbox->is_of_parent(); }

bool guest::has_work() const noexcept {
    return !core().ready.empty() || core().pacing.looks_at_clock() || core().inbox->is_filled() || loop_->has_interrupts();
}

/// A wait that does not block.
void guest::look() noexcept { core().hosting.is_settled = loop_->wait_for_news(time_point::min()) != waited::news; }

bool guest::prepare() noexcept {
    require_thread();
    if (dispatching_ || finished_ || is_in_child())
        return false;
    if (has_work() || is_new_to_host_)
        return true;
    for (unsigned looks = 0; !core().hosting.is_settled && !has_work(); ++looks) {
        if (looks == most_looks)
            return true;   // the host's others have their turn, then on
        look();
    }
    if (has_work() || !core().inbox->prepare_sleep())
        return true;
    core().hosting.deadline = core().timers.empty() ? no_deadline : core().timers.earliest();
    core().hosting.sleeps = true;
    return false;
}

void guest::make_readable() noexcept {
    require_thread();
    const entered in(*this);
    look();   // libuv, for one, registers what wakes it as it waits
    core().backend->wake();
}

std::optional<time_point> guest::next_deadline() const noexcept {
    if (core().timers.empty())
        return std::nullopt;
    return core().timers.earliest();
}

dispatch_result guest::dispatch(const dispatch_budget& budget) noexcept {
    require_thread();
    if (dispatching_ || finished_ || is_in_child())
        return {.more = false, .finished = finished_};
    if (turn_within(budget)) {
        tell_end();   // it may destroy this
        return {.more = false, .finished = true};
    }
    return {.more = has_work(), .finished = false};
}

/// True if the run is over.
bool guest::turn_within(const dispatch_budget& budget) noexcept {
    const entered in(*this);
    dispatching_ = true;
    is_new_to_host_ = false;
    core().hosting.sleeps = false;
    core().hosting.lent_to = nullptr;
    core().inbox->awake();

    loop::allowance left{budget.resumes, saturating_add(core().now(), budget.time)};
    unsigned polls = budget.polls;
    bool is_over = false;
    while (!is_over) {
        if (!loop_->is_in_turn()) {
            if (!loop_->may_skip_wait()) {
                if (polls == 0)
                    break;
                --polls;
                look();
            }
            if (!has_work()) {
                is_over = advance();   // the end of a thread of the pool is no work
                break;
            }
            loop_->begin_turn();
        }
        core().hosting.is_settled = false;
        if (!loop_->run_turn(left))
            break;
        is_over = advance();
        if (is_in_child())   // which leaves the backend, its parent's, alone
            break;
    }
    dispatching_ = false;
    return is_over;
}

/// Between two turns. True if that was the last.
bool guest::advance() noexcept {
    if (!course_ || !course_->advance())
        return false;
    finished_ = true;
    if (!is_in_child()) {
        course_->note_end();
        loop_->interrupts_.release();
    }
    return true;
}

/// What on_done does may end everything that it was part of.
void guest::tell_end() noexcept {
    if (is_in_child() || !at_end_)
        return;
    const std::unique_ptr<completion> at_end = std::move(at_end_);
    bool is_gone = false;
    is_gone_ = &is_gone;
    try {
        at_end->call(*course_);
    } catch (...) {
        std::optional<entered> in;
        if (!is_gone)
            in.emplace(*this);
        detail::report_current_exception("the function that a guest's end is told to threw");
    }
    if (!is_gone)
        is_gone_ = nullptr;
}

void guest::throw_end(const detail::run_course& course) { course.throw_end(); }

void guest::request_stop(std::source_location where) noexcept {
    auto none = stop_request::phase::idle;
    if (!stop_.made.compare_exchange_strong(none, stop_request::phase::being_made))
        return;
    stop_.why = {cancel_origin::host, where};
    stop_.made = stop_request::phase::made;
    core().inbox->push(stop_);
}

bool guest::drain(time_point until) noexcept {
    require_thread();
    if (dispatching_ || is_in_child())
        return false;
    if (!course_ || finished_)
        return true;
    core().take_backend_back();
    core().inbox->wake_by(nullptr, nullptr);
    core().hosting.sleeps = false;
    core().inbox->awake();
    bool is_over = false;
    {
        const entered in(*this);
        dispatching_ = true;
        while (!is_over && core().now() < until) {
            if (!loop_->is_in_turn()) {
                course_->turn(until);
            } else {
                loop::allowance all;
                loop_->run_turn(all);
            }
            is_over = advance();
        }
        core().hosting.is_settled = false;
        dispatching_ = false;
    }
    if (is_in_child())
        return is_over;
    core().inbox->wake_by(hook_.call, hook_.context);
    if (!is_over)
        return false;
    if (hook_.call)
        hook_.call(hook_.context);   // for the host to see the end, and let go
    else if (has_host_)
        unblock();
    tell_end();   // it may destroy this
    return true;
}

void guest::block(time_point deadline) noexcept { core().backend->block(deadline); }

void guest::lend_backend(void (*end)(void*) noexcept, void* context) noexcept {
    core().hosting.lent_to = end;
    core().hosting.lent_context = context;
}

void guest::unblock() noexcept { core().backend->wake(); }

}
