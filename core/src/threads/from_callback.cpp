// from_callback.cpp - answers come back to the loop's thread; requests go out from it.
#include <corun/detail/inbox.hpp>
#include <corun/from_callback.hpp>

#include <utility>

namespace corun::detail {

void throw_unusable_resolver(bool has_answered) {
    if (has_answered)
        throw_usage(errc::already_set, "this corun::resolver has been called already: it answers once");
    throw_usage(errc::empty_handle, "this corun::resolver was moved from: call the one that it was moved to");
}

callback_state::callback_state(loop_core& core, freer f) noexcept
    : entry([](entry& e, loop*) noexcept {
          auto& s = static_cast<callback_state&>(e);
          if (s.waiting)
              std::exchange(s.waiting, nullptr)->end_with_answer();
          s.release();
      }),
      free(f),
      inbox(core.inbox) {
    inbox->add_reference();
}

callback_state::~callback_state() { inbox->release(); }

void callback_state::come_back(ending how) noexcept {
    end = how;
    auto expected = phase::open;
    now.compare_exchange_strong(expected, phase::answered, std::memory_order_acq_rel);
    if (!inbox->push(*this))
        release();   // the loop has closed, and with it the await
}

void callback_state::drop_hook() noexcept {
    if (callback* const hook = std::exchange(on_cancel, nullptr)) {
        hook->drop();
        hook->release();
    }
}

void callback_waiter::listen(task_state& t) noexcept {
    state_->waiting = this;
    stand_here(t);
    if (t.take_request()) {   // asked to end by what the function called
        task_state* next = nullptr;
        interrupt(next);
    }
}

interruption callback_waiter::interrupt(task_state*&) noexcept {
    if (!state_ || !state_->waiting)
        return interruption::refused;
    // An answer that is on its way comes first, and the request after it (5.5).
    wait_state_ = wait_state::asked;
    if (state_->now.load(std::memory_order_acquire) == callback_state::phase::open) {
        if (callback* const hook = std::exchange(state_->on_cancel, nullptr)) {
            try {
                hook->call();
            } catch (...) {
                report_current_exception("the function of a resolver's on_cancel() threw");
            }
            hook->drop();
            hook->release();
        }
        if (state_->detaches && state_->stop_listening()) {
            state_->waiting = nullptr;
            end(wait_state::interrupted);
        }
    }
    return interruption::taken;
}

void callback_waiter::check_end() {
    if (wait_state_ == wait_state::interrupted) {   // another thread may be answering
        (void)take_request_after(true);
        throw cancelled{};
    }
    callback_state& s = *state_;
    if (s.end == ending::cancelled) {
        (void)take_request();   // whatever was asked is delivered hereby
        throw cancelled{};
    }
    if (take_request_after(s.is_broken || s.is_abort))
        throw cancelled{};
    if (s.end == ending::value)
        return;
    if (s.is_broken)
        throw broken_callback{};
    if (s.error)
        std::rethrow_exception(std::exchange(s.error, nullptr));
    throw std::system_error(s.code);
}

void callback_waiter::let_go() noexcept {
    if (!state_)
        return;
    state_->waiting = nullptr;
    state_->drop_hook();
    std::exchange(state_, nullptr)->release();
}

}
