// inbox.cpp - posts cross threads here; a sleeping loop is woken once.
#include <corun/backend.hpp>
#include <corun/detail/inbox.hpp>

namespace corun::detail {

bool inbox::push(entry& e, const bool& refused) noexcept {
    if (is_of_parent())
        return false;
    std::unique_lock lock(mutex_);
    if (refused)
        return false;
    entries_.push_back(e);
    filled_.store(true, std::memory_order_release);
    if (!asleep_.exchange(false))
        return true;
    // Not under the lock: a host's hook may take one that the loop's thread holds as it comes for this. Counted, so that neither the hook
    // nor the backend goes between the decision and the call.
    callers_.fetch_add(1, std::memory_order_relaxed);
    const auto call = wake_call_;
    void* const context = wake_context_;
    lock.unlock();
    if (call)
        call(context);
    else
        backend_->wake();
    if (callers_.fetch_sub(1, std::memory_order_release) == 1)
        callers_.notify_all();
    return true;
}

void inbox::wait_for_callers() noexcept {
    for (std::uint32_t under_way = callers_.load(std::memory_order_acquire); under_way > 0;) {
        callers_.wait(under_way, std::memory_order_acquire);
        under_way = callers_.load(std::memory_order_acquire);
    }
}

void inbox::wake() noexcept {
    if (wake_call_)
        wake_call_(wake_context_);
    else
        backend_->wake();
}

void inbox::wake_by(void (*call)(void*) noexcept, void* context) noexcept {
    {
        const std::lock_guard lock(mutex_);
        wake_call_ = call;
        wake_context_ = context;
    }
    wait_for_callers();
}

bool inbox::prepare_sleep() noexcept {
    const std::lock_guard lock(mutex_);
    if (!entries_.empty())
        return false;
    asleep_ = true;
    return true;
}

void inbox::take_all(entry_list& ready) noexcept {
    const std::lock_guard lock(mutex_);
    ready.splice_back(entries_);
    filled_.store(false, std::memory_order_relaxed);
}

bool inbox::refuse_posts() noexcept {
    const std::lock_guard lock(mutex_);
    posts_refused_ = true;
    return !entries_.empty();
}

void inbox::close(entry_list& ready) noexcept {
    const std::lock_guard lock(mutex_);
    posts_refused_ = closed_ = true;
    ready.splice_back(entries_);
    filled_.store(false, std::memory_order_relaxed);
}

}
