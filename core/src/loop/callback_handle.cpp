// callback_handle.cpp - a callback is taken back.
#include <corun/callback_handle.hpp>
#include <corun/detail/loop_core.hpp>

namespace corun {

bool callback_handle::cancel() noexcept {
    if (!is_pending())
        return false;
    detail::callback& c = *node_;
    // On a timer the node's reference goes with the timer; in a queue it goes when the entry's turn comes.
    if (c.timer.is_armed()) {
        c.timers_of->disarm(c.timer);
        c.drop();
        c.release();
    } else {
        c.drop();
    }
    return true;
}

}
