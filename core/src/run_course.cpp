// run_course.cpp - see run_course.hpp.
#include "run_course.hpp"

#include <corun/detail/inbox.hpp>
#include <corun/errors.hpp>

#include <utility>

namespace corun::detail {

run_course::run_course(loop& l, std::optional<duration> grace, duration pool_grace) noexcept : loop_(l), shut_down_(l, grace, pool_grace) {}

void run_course::begin(task_state& main, bool closing) noexcept {
    main_ = &main;
    main_is_under_way_ = true;
    closing_ = closing;
    main.observed = true;
    loop_.main_ = &main;
    loop_.main_interrupts_ = 0;
}

bool run_course::go_on() noexcept {
    if (loop_.box->is_of_parent())
        return true;
    if (std::exchange(main_is_under_way_, false)) {
        stood_still_ = std::exchange(loop_.deadlock_, std::string());
        stopped_ = std::exchange(loop_.stop_, false);
        closing_ = closing_ || stopped_;
    }
    return !closing_ || shut_down_.advance();
}

void run_course::note_end() noexcept {
    if (stood_still_.empty())
        stood_still_ = std::move(loop_.deadlock_);
    if (!main_)
        return;
    const bool by_request = main_->outcome == ending::cancelled && loop_.main_interrupts_ > 0;
    const bool remembered = main_->outcome != ending::value && loop_.shut_down_interrupts_ > 0;
    interrupted_ = stopped_ || by_request || remembered;
    signal_ = loop_.interrupts_.signal;
}

void run_course::throw_end() const {
    if (!stood_still_.empty())
        throw deadlock(stood_still_);
    if (interrupted_)
        throw interrupted(signal_);
    if (main_ && main_->outcome == ending::cancelled)
        throw cancelled{};
}

}
