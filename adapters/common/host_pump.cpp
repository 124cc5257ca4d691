// host_pump.cpp - see host_pump.hpp.
#include <corun/host_pump.hpp>

#include <algorithm>

namespace corun {

void host_pump::attach(watched_by how) {
    news_ = usable_news(*hosted(), how);
    hosting_.attach(news_, {[](void* pump) noexcept { static_cast<host_pump*>(pump)->wake(); }, this});
    call_soon();
}

/// A handle is what a loop can be woken by from other threads; its own thread has a shorter way.
void host_pump::wake() noexcept {
    if (news_ == guest_news::handle && guest::here() != hosted())
        hosted()->unblock();
    else
        call_soon();
}

void host_pump::dispatch() noexcept {
    if (!hosted() || hosting_.is_inside())
        return;
    const auto left = hosting_.dispatch();
    if (!left)
        return;   // maybe this has gone
    if (left->finished) {
        stop();
        return;
    }
    if (left->more || hosting_.prepare()) {
        call_soon();
        return;
    }
    if (news_ == guest_news::helper_thread)
        return;   // which waits
    try {
        std::optional<duration> at_most;
        if (const auto deadline = hosting_.deadline())
            at_most = std::max(*deadline - hosted()->get_loop().time(), duration::zero());
        sleep(hosting_.handle(), at_most);
    } catch (...) {
        call_soon();   // without memory for its waits the host does not sleep
    }
}

}
