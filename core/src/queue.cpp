// queue.cpp - reservations: who is woken has its item or its room, whatever comes between.
#include <corun/queue.hpp>

namespace corun {

const char* queue_shut_down::what() const noexcept { return "corun: the queue has been shut down"; }

namespace detail {
namespace {

queue_waiter& first_of(waiter_list& waiters) noexcept { return static_cast<queue_waiter&>(waiters.front()); }

}

void queue_core::wake() noexcept {
    while (!getters_.waiters.empty() && size_ > getters_.reserved) {
        ++getters_.reserved;
        first_of(getters_.waiters).grant();
    }
    while (!putters_.waiters.empty() && putters_.reserved < capacity_ && size_ < capacity_ - putters_.reserved) {
        ++putters_.reserved;
        first_of(putters_.waiters).grant();
    }
}

void queue_core::end_waits() noexcept {
    getters_.waiters.give_all();
    putters_.waiters.give_all();
}

bool queue_waiter::ready() {
    if (puts_ && queue_->is_shut_down())
        throw queue_shut_down{};
    const bool there = puts_ ? queue_->has_room() : queue_->has_item();
    if (!there && queue_->is_shut_down())
        throw queue_shut_down{};
    return there && this_core().may_go_on();
}

void queue_waiter::begin(task_state& t) {
    mine().waiters.check_loop();
    if (puts_ ? queue_->has_room() : queue_->has_item()) {   // only the budget is spent
        ++mine().reserved;
        reserved_ = true;
        pass_through_queue(t);
    } else if (begin_wait(t)) {
        mine().waiters.push_back(t);
    }
}

void queue_waiter::check_end() {
    if (!waiting_task())
        return;   // it was ready
    const bool reserved = std::exchange(reserved_, false) && !was_abandoned();
    if (reserved)
        --mine().reserved;
    if (ended_by_request()) {
        if (reserved)
            queue_->wake();
        throw cancelled{};
    }
    check_not_abandoned();
    // Woken by the shut down, or what was reserved has been dropped by it.
    if (queue_->is_shut_down() && (puts_ || !reserved || queue_->size_ == 0))
        throw queue_shut_down{};
}

}

}
