// finally.cpp - two ends at once, and requests that wait for the end of a clean-up.
#include <corun/finally.hpp>

namespace corun::detail {

void throw_both(std::exception_ptr body, std::exception_ptr cleanup) {
    if (!body)
        std::rethrow_exception(cleanup);
    std::vector<std::exception_ptr> both;
    both.push_back(std::move(body));
    both.push_back(std::move(cleanup));
    throw exception_group("a body and its clean-up failed", std::move(both));
}

held_request::held_request() noexcept {
    task_state& t = this_task_state();
    resumptions_ = t.core->figures.resumptions;
    is_held_ = t.hold_request();
}

bool held_request::give_back(bool leaves_error) noexcept {
    task_state& t = this_task_state();
    if (!is_held_ || !t.give_back_request())
        return false;
    // Nothing else can be resumed while the task goes on in place.
    const bool has_suspended = t.core->figures.resumptions != resumptions_;
    if (leaves_error || !has_suspended)
        return false;
    (void)t.take_request();
    return true;
}

}
