// run_course.cpp - see run_course.hpp.
#include "run/run_course.hpp"

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
    loop_.interrupts_.begin_main(main);
}

void run_course::request_stop(const cancel_reason& why) noexcept {
    if (!main_is_under_way_)
        return;
    main_->cancel(why);
    shut_down_.begin_grace();
}

void run_course::turn() noexcept {
    if (main_is_under_way_)
        loop_.turn_until_done(*main_);
    else
        loop_.turn(no_deadline);
}

bool run_course::go_on() noexcept {
    if (loop_.inbox->is_of_parent())
        return true;
    if (std::exchange(main_is_under_way_, false)) {
        shut_down_.end_grace();
        stood_still_ = std::exchange(loop_.deadlock_, std::string());
        stopped_ = loop_.attention.is_stopped();
        loop_.attention.go_on();
        closing_ = closing_ || stopped_;
    }
    return !closing_ || shut_down_.advance();
}

void run_course::note_end() noexcept {
    if (stood_still_.empty())
        stood_still_ = std::move(loop_.deadlock_);
    if (!main_)
        return;
    const bool by_request = main_->outcome == ending::cancelled && loop_.interrupts_.met_main();
    const bool remembered = main_->outcome != ending::value && loop_.interrupts_.met_shut_down();
    interrupted_ = (stopped_ && loop_.interrupts_.met_main()) || by_request || remembered;
    signal_ = loop_.interrupts_.signal();
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
