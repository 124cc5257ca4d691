// from_callback.cpp - answers come back to the loop's thread; requests go out from it.
#include <corun/detail/inbox.hpp>
#include <corun/from_callback.hpp>
#include <corun/loop.hpp>

#include <utility>

namespace corun::detail {

void throw_resolved() { throw_usage(errc::already_set, "this corun::resolver has been called already, or moved from: it answers once"); }

callback_state::callback_state(loop_core& core, freer f) noexcept
    : entry([](entry& e, loop*) noexcept {
          auto& s = static_cast<callback_state&>(e);
          if (s.waiting)
              s.waiting->resume_with(callback_waiter::wait_state::given);
          s.release();
      }),
      free(f),
      box(core.box) {
    box->add_reference();
}

callback_state::~callback_state() { box->release(); }

void callback_state::come_back(ending how) noexcept {
    end = how;
    auto expected = phase::open;
    now.compare_exchange_strong(expected, phase::answered, std::memory_order_acq_rel);
    if (!box->push(*this))
        release();   // the loop has closed, and with it the await
}

void callback_state::drop_hook() noexcept {
    if (callback* const hook = std::exchange(on_cancel, nullptr)) {
        hook->drop();
        hook->release();
    }
}

bool callback_waiter::refuse_if_cancelled(task_state& t) noexcept {
    if (!std::exchange(t.must_cancel, false))
        return false;
    task_ = &t;
    t.waiting_on = this;
    resume_with(wait_state::interrupted);
    return true;
}

void callback_waiter::stand_here(task_state& t, callback_state& s) noexcept {
    s.waiting = this;
    task_ = &t;
    t.waiting_on = this;
    wait_state_ = wait_state::waiting;
    if (std::exchange(t.must_cancel, false)) {   // asked to end by what the function called
        task_state* next = nullptr;
        interrupt(next);
    }
}

void callback_waiter::resume_with(wait_state s) noexcept {
    wait_state_ = s;
    if (state_)
        state_->waiting = nullptr;
    core_of(*task_->owner).schedule(*task_);
}

interruption callback_waiter::interrupt(task_state*&) noexcept {
    if (wait_state_ != wait_state::waiting)
        return interruption::refused;
    // An answer that is on its way comes first, and the request after it (5.5).
    if (!std::exchange(asked_, true) && state_->now.load(std::memory_order_acquire) == callback_state::phase::open) {
        if (callback* const hook = std::exchange(state_->on_cancel, nullptr)) {
            try {
                hook->act(*hook, callback::verb::call);
            } catch (...) {
                report_current_exception("the function of a resolver's on_cancel() threw");
            }
            hook->drop();
            hook->release();
        }
        if (state_->detaches && state_->stop_listening())
            resume_with(wait_state::interrupted);
    }
    return interruption::taken;
}

void callback_waiter::check_end() {
    task_state& t = *std::exchange(task_, nullptr);
    if (wait_state_ == wait_state::interrupted)
        throw cancelled{};
    callback_state& s = *state_;
    s.drop_hook();
    const bool is_cancelled = s.end == ending::cancelled || (asked_ && (s.is_broken || s.is_abort));
    if (is_cancelled) {
        t.must_cancel = false;
        throw cancelled{};
    }
    if (asked_)
        t.must_cancel = true;   // the answer was first; the request is next (5.5)
    if (s.end == ending::value)
        return;
    if (s.is_broken)
        throw broken_callback{};
    if (s.error)
        std::rethrow_exception(std::exchange(s.error, nullptr));
    throw std::system_error(s.code, "corun: from_callback");
}

void callback_waiter::let_go() noexcept {
    if (!state_)
        return;
    state_->waiting = nullptr;
    state_->drop_hook();
    std::exchange(state_, nullptr)->release();
}

}
