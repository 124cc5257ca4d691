// inbox.cpp - posts cross threads here; a sleeping loop is woken once.
#include <corun/backend.hpp>
#include <corun/detail/inbox.hpp>

namespace corun::detail {

bool inbox::push(entry& e, const bool& refused) noexcept {
    if (is_of_parent())
        return false;
    const std::lock_guard lock(mutex_);
    if (refused)
        return false;
    entries_.push_back(e);
    filled_.store(true, std::memory_order_release);
    // Under the lock, so that close() can't end the backend between the decision and the call.
    if (asleep_.exchange(false))
        wake();
    return true;
}

void inbox::wake() noexcept {
    if (wake_call_)
        wake_call_(wake_context_);
    else
        backend_->wake();
}

void inbox::wake_by(void (*call)(void*) noexcept, void* context) noexcept {
    const std::lock_guard lock(mutex_);
    wake_call_ = call;
    wake_context_ = context;
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
