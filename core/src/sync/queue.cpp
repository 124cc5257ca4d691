// queue.cpp - reservations: a task that is woken has its item or its room, whatever comes between.
#include <corun/queue.hpp>

namespace corun {

const char* queue_shut_down::what() const noexcept { return "corun: the queue has been shut down"; }

namespace detail {
namespace {

queue_waiter& first_of(waiter_list& waiters) noexcept { return static_cast<queue_waiter&>(waiters.front()); }

void wake_first(waiter_list& waiters) noexcept {
    first_of(waiters).reserve();
    waiters.wake_front();
}

void end_all(waiter_list& waiters) noexcept {
    while (!waiters.empty())
        first_of(waiters).end_by_shut_down();
}

}

void queue_core::wake() noexcept {
    while (!getters_.waiters.empty() && size_ > getters_.reserved) {
        ++getters_.reserved;
        wake_first(getters_.waiters);
    }
    while (!putters_.waiters.empty() && putters_.reserved < capacity_ && size_ < capacity_ - putters_.reserved) {
        ++putters_.reserved;
        wake_first(putters_.waiters);
    }
}

void queue_core::end_waits() noexcept {
    end_all(getters_.waiters);
    end_all(putters_.waiters);
}

bool queue_waiter::ready() {
    if (puts_ && queue_->is_shut_down())
        throw queue_shut_down{};
    const bool there = puts_ ? queue_->has_room() : queue_->has_item();
    if (!there && queue_->is_shut_down())
        throw queue_shut_down{};
    return there && this_core().may_go_on();
}

void queue_waiter::suspend(task_state& t) {
    mine().waiters.check_loop();
    if (puts_ ? queue_->has_room() : queue_->has_item()) {   // only the budget is spent
        ++mine().reserved;
        reserved_ = true;
        pass_through_queue(t);
        mine().waiters.note_woken(*this);
    } else if (begin(t)) {
        mine().waiters.push_back(t);
    }
}

void queue_waiter::check_end() {
    if (!waiting_task())
        return;   // it was ready
    const bool reserved = std::exchange(reserved_, false) && was_given();
    if (reserved)
        --mine().reserved;
    if (take_request()) {
        if (reserved)
            queue_->wake();
        throw cancelled{};
    }
    check_not_abandoned();
    // Woken by the shut down, or what was reserved has been dropped by it.
    if (!queue_ || (queue_->is_shut_down() && (puts_ || queue_->size_ == 0)))
        throw queue_shut_down{};
}

}

}
