// started.cpp - the child says that it is ready, or ends before.
#include <corun/started.hpp>

namespace corun::detail {

start_record& start_end::record() const {
    if (!record_)
        throw_usage(errc::already_set, "corun::started: the child has said that it is ready before; it does so once");
    return *record_;
}

void start_end::tell() noexcept {
    start_record& r = *record_;
    let_go();
    r.is_ready_ = true;
    if (r.is_linked())
        r.unlink();
    if (r.waiting_)
        r.waiting_->child_is_ready();
}

void start_join::child_is_ready() noexcept {
    // A request that comes from now on finds the wait over, and is the next suspension's.
    if ((wait_state_ == wait_state::waiting || wait_state_ == wait_state::asked) && !target().is_done())
        end(wait_state::given);
}

void start_join::await_resume() {
    record_->waiting_ = nullptr;
    if (record_->is_ready_) {
        node_ = nullptr;
        return;
    }
    if (target().outcome == ending::error) {
        node_ = nullptr;   // a request is the next suspension's: no other place knows the error
        throw_end(target(), false);
    }
    check_end();
    throw_usage(errc::no_value, "task_group::start(): the child ended and never said that it was ready; call its corun::started");
}

}
