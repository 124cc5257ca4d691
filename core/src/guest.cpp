// guest.cpp - a loop's turns in a host's hands: prepare, sleep, dispatch.
#include "run_course.hpp"

#include <corun/detail/inbox.hpp>
#include <corun/guest.hpp>
#include <corun/inspect.hpp>

#include <cstdio>
#include <string>
#include <system_error>

namespace corun {
namespace {

thread_local guest* guest_here = nullptr;

/// A backend that has something to ask of the system after as many waits goes on doing so in its host's next turn.
constexpr unsigned most_looks = 4;

}

namespace detail {

loop_core* guest_core() noexcept { return guest::is_here() ? &core_of(guest_here->get_loop()) : nullptr; }

}

bool guest::is_here() noexcept { return guest_here && !guest_here->is_in_child(); }

guest::entered::entered(guest& g) noexcept : outer_(loop::exchange_current(g.loop_)) {}

guest::entered::~entered() { loop::exchange_current(outer_); }

guest::stop_request::stop_request(guest& g) noexcept
    : entry([](entry& e, loop* turning) noexcept {
          auto& request = static_cast<stop_request&>(e);
          request.is_made = false;
          if (turning && request.to.course_)
              request.to.course_->request_stop();
      }),
      to(g) {}

guest::guest(run_options&& options, std::unique_ptr<backend> (*make_default)()) {
    if (is_here())
        detail::throw_usage(errc::nested_run, "a corun::guest lives on this thread already; spawn() onto it: many roots, one guest");
    const bool handles_interrupts = options.handle_interrupts_.value_or(false);
    runner_.reset(new runner(std::move(options), make_default));
    runner_->handle_interrupts_ = handles_interrupts;
    loop_ = runner_->loop_.get();
    if (core().engine->simulated())
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                                "corun: a guest can't live on a simulated backend, whose time moves only while its own run() waits");
    live_here(*core().engine);
}

guest::guest(detail::run_course& course) : loop_(&course.turning()), outer_(loop::exchange_current(nullptr)), course_(&course) {
    live_here(*core().engine);
}

void guest::live_here(backend& engine) {
    if (engine.on_news(&guest::on_news, this)) {
        news_ = guest_news::host_loop;
    } else if (handle_ = engine.wait_handle(); handle_ != no_native_handle) {
        news_ = guest_news::handle;
    }
    guest_here = this;
}

guest::~guest() {
    const bool in_child = is_in_child();
    if (course_ && !finished_ && !in_child) {
        std::string text = "corun: a guest was destroyed before its run was over; call request_stop() and drain() before it goes\n";
        try {
            text += dump_tasks(*loop_);
        } catch (...) {
            text += "(no memory to print its tasks)\n";
        }
        std::fputs(text.c_str(), stderr);
        std::terminate();
    }
    detach();
    guest_here = nullptr;
    if (in_child)
        (void)at_end_.release();
    else
        core().engine->on_news(nullptr, nullptr);
    if (outer_)
        loop::exchange_current(outer_);
    runner_.reset();   // before what its loop may still have in its queues
}

void guest::on_news(void* self) noexcept {
    detail::loop_core& core = static_cast<guest*>(self)->core();
    core.ask_backend();   // asleep or not: the next wait has something
}

void guest::attach(wake_hook hook) {
    if (hook_.call)
        detail::throw_usage(errc::already_set, "this corun::guest has a host; detach() from that one first");
    hook_ = hook;
    is_new_to_host_ = true;
    core().box->wake_by(hook.call, hook.context);
}

void guest::detach() noexcept {
    hook_ = {};
    if (is_in_child())
        core().lent_to = nullptr;   // the parent's thread
    core().take_backend_back();
    if (!is_in_child())
        core().box->wake_by(nullptr, nullptr);
}

void guest::prepare_start() {
    if (course_)
        detail::throw_usage(errc::already_set, "this corun::guest has been started; spawn() further roots");
    own_course_ = std::make_unique<detail::run_course>(*loop_, runner_->shutdown_grace_, runner_->pool_grace_);
}

void guest::begin(detail::task_state& main, std::unique_ptr<completion> at_end) noexcept {
    course_ = own_course_.get();
    course_->begin(main, true);
    at_end_ = std::move(at_end);
    if (runner_->handle_interrupts_)
        loop_->catch_interrupts(runner_->stop_on_termination_);
}

/// A forked child has its parent's guest before it, and leaves it alone.
bool guest::is_in_child() const noexcept { return core().box->is_of_parent(); }

bool guest::has_work() const noexcept {
    return !loop_->batch_.empty() || !core().ready.empty() || core().look_at_clock || core().box->is_filled() || loop_->interrupts_came();
}

/// A wait that does not block.
void guest::look() noexcept { core().backend_is_settled = loop_->wait_for_news(time_point::min()) != waited::news; }

bool guest::prepare() noexcept {
    if (dispatching_ || finished_ || is_in_child())
        return false;
    if (has_work() || is_new_to_host_)
        return true;
    for (unsigned looks = 0; !core().backend_is_settled && !has_work(); ++looks) {
        if (looks == most_looks)
            return true;   // the host's others have their turn, then on
        look();
    }
    if (has_work() || !core().box->prepare_sleep())
        return true;
    core().host_deadline = core().timers.empty() ? no_deadline : core().timers.earliest();
    core().host_sleeps = true;
    return false;
}

void guest::make_readable() noexcept {
    const entered in(*this);
    look();   // libuv, for one, registers what wakes it as it waits
    core().engine->wake();
}

std::optional<time_point> guest::next_deadline() const noexcept {
    if (core().timers.empty())
        return std::nullopt;
    return core().timers.earliest();
}

dispatch_result guest::dispatch(const dispatch_budget& budget) noexcept {
    if (dispatching_ || finished_ || is_in_child())
        return {.more = false, .finished = finished_};
    const entered in(*this);
    dispatching_ = true;
    is_new_to_host_ = false;
    core().host_sleeps = false;
    core().lent_to = nullptr;
    core().box->awake();

    loop::allowance left{budget.resumes, saturating_add(core().now(), budget.time)};
    unsigned polls = budget.polls;
    for (;;) {
        if (loop_->batch_.empty()) {
            if (!loop_->may_skip_wait()) {
                if (polls == 0)
                    break;
                --polls;
                look();
            }
            if (!has_work()) {
                go_on();   // the end of a thread of the pool is no work
                break;
            }
            loop_->begin_batch();
            loop_->batch_.splice_back(core().ready);
        }
        core().backend_is_settled = false;
        if (!loop_->run_batch(left) || !go_on())
            break;
    }
    dispatching_ = false;
    return {.more = !finished_ && has_work(), .finished = finished_};
}

/// Between two turns. False if that was the last.
bool guest::go_on() noexcept {
    if (!course_ || !course_->advance())
        return true;
    finished_ = true;
    if (is_in_child())
        return false;
    course_->note_end();
    loop_->release_interrupts();
    if (at_end_) {
        try {
            at_end_->call(*course_);
        } catch (...) {
            detail::report_current_exception("the function that a guest's end is told to threw");
        }
        at_end_.reset();
    }
    return false;
}

void guest::throw_end(const detail::run_course& course) { course.throw_end(); }

void guest::request_stop() noexcept {
    if (!stop_.is_made.exchange(true))
        core().box->push(stop_);
}

bool guest::drain(time_point until) noexcept {
    if (dispatching_ || is_in_child())
        return false;
    core().take_backend_back();
    core().box->wake_by(nullptr, nullptr);
    core().host_sleeps = false;
    core().box->awake();
    {
        const entered in(*this);
        dispatching_ = true;
        while (course_ && !finished_ && core().now() < until) {
            if (loop_->batch_.empty()) {
                course_->turn(until);
            } else {
                loop::allowance all;
                loop_->run_batch(all);
            }
            go_on();
        }
        core().backend_is_settled = false;
        dispatching_ = false;
    }
    core().box->wake_by(hook_.call, hook_.context);
    return finished_ || !course_;
}

void guest::block(time_point deadline) noexcept { core().engine->block(deadline); }

void guest::lend_backend(void (*end)(void*) noexcept, void* context) noexcept {
    core().lent_to = end;
    core().lent_context = context;
}

void guest::unblock() noexcept { core().engine->wake(); }

}
