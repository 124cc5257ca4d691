// waiter.cpp - waits whose frames go.
#include <corun/waiter.hpp>

#include <utility>

namespace corun {

void waiter::leave() noexcept {
    detail::waiting_node& left = *std::exchange(node_, nullptr);
    if (left.waiting_on == this)
        left.waiting_on = nullptr;
    if (left.is_linked())
        left.unlink();
}

}
