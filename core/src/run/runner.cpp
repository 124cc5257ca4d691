// runner.cpp - one run after another on a loop, each under the interrupt rules; then shut down.
#include <corun/exception_group.hpp>
#include <corun/runner.hpp>

#include "run/drive.hpp"
#include "threads/thread_pool.hpp"

#include <corun/detail/inbox.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

namespace corun {
namespace {

bool environment_says_debug() noexcept {
    const char* const text = std::getenv("CORUN_DEBUG");
    return text && std::string_view(text) == "1";
}

void refuse_nested() {
    if (loop::try_current())
        detail::throw_usage(errc::nested_run, "corun::run() cannot be called from a running event loop; co_await the task, or spawn() it");
    if (detail::guest_core())
        detail::throw_usage(
            errc::nested_run,
            "corun::run() cannot be called on a thread whose event loop hosts a corun::guest; spawn() the task onto the guest");
}

using backend_maker = std::unique_ptr<backend> (*)();

std::unique_ptr<backend> make_first(backend_maker make_default, backend_maker fall_back) {
    if (!fall_back)
        return make_default();
    try {
        return make_default();
    } catch (const backend_unavailable&) {
        return fall_back();
    }
}

}

runner::runner(run_options&& options, std::unique_ptr<backend> (*make_default)())
    : shutdown_grace_(options.shutdown_grace_),
      pool_grace_(options.pool_grace_),
      handle_interrupts_(options.handle_interrupts_.value_or(true)),
      stop_on_termination_(options.stop_on_termination_) {
    refuse_nested();
    loop_ = std::make_unique<loop>(options.backend_ ? std::move(options.backend_) : make_first(make_default, options.fall_back_));
    loop_->real_threads = options.real_threads_ || !loop_->backend->simulated();
    if (simulation* const s = loop_->backend->simulated(); s && s->shuffles_ready())
        loop_->shuffling_ = s;
    loop_->threads.most = options.pool_threads_;
    loop_->slow_step = options.slow_step_;
    loop_->debug = options.debug_.value_or(environment_says_debug());
    if (loop_->debug)
        detail::debug_in_use = true;
    loop_->interrupts_.print_tasks_on_quit(options.dump_on_quit_);
    loop_->set_exception_hook(std::move(options.hook_));
    loop_->leftovers_hook_ = std::move(options.leftovers_hook_);
}

void runner::begin_run() {
    refuse_nested();
    if (!loop_)
        detail::throw_usage(errc::closed_loop, "this corun::runner has been closed; make another one");
    if (loop_->inbox->is_of_parent())
        detail::throw_forked();
    outer_ = loop::exchange_current(loop_.get());
    if (handle_interrupts_)
        loop_->interrupts_.catch_them(stop_on_termination_);
}

void runner::abandon_run() noexcept {
    if (loop_)
        loop_->interrupts_.release();
    loop::exchange_current(std::exchange(outer_, nullptr));
}

void runner::drive(detail::task_state& main, bool closing) {
    detail::run_course course(*loop_, shutdown_grace_, pool_grace_);
    course.begin(main, closing);
    detail::drive(course);
    check_not_forked();
    course.note_end();
    abandon_run();
    if (loop_->is_closed())
        loop_.reset();
    course.throw_end();
}

/// In a forked child the loop and its frames are left where they are: each of their ends would touch what the parent uses.
void runner::check_not_forked() {
    if (!loop_->inbox->is_of_parent())
        return;
    (void)loop_.release();
    loop::exchange_current(nullptr);
    detail::throw_forked();
}

runner::~runner() {
    if (is_running()) {
        std::fputs("corun: a runner was destroyed by a task or callback that it runs; let run() return before it goes\n", stderr);
        std::terminate();
    }
    close_now();
}

void runner::close() {
    if (is_running())
        detail::throw_usage(errc::nested_run,
                            "a corun::runner can't be closed by a task or callback that it runs: close() would wait for it; "
                            "let run() return first");
    close_now();
}

void runner::close_now() noexcept {
    if (!loop_)
        return;
    loop* const outer = loop::exchange_current(loop_.get());
    if (!loop_->is_closed()) {
        // A turn of a guest's that was never started, whose budget was spent: what is left of it is ready, before what came since.
        if (loop_->is_in_turn())
            loop_->turn_end_.unlink();
        detail::run_course course(*loop_, shutdown_grace_, pool_grace_);
        detail::drive(course);
    }
    if (loop_->inbox->is_of_parent())
        (void)loop_.release();
    else
        loop_.reset();
    loop::exchange_current(outer);
}

}
