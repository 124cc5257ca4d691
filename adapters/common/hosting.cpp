// hosting.cpp - see hosting.hpp.
#include <corun/guest_waiter.hpp>
#include <corun/hosting.hpp>

namespace corun {

hosting::hosting(guest& g, dispatch_budget budget) noexcept : guest_(&g), budget_(budget) {}

hosting::~hosting() {
    detach();
    if (is_gone_)
        *is_gone_ = true;
}

void hosting::attach(guest_news news, wake_hook hook) {
    news_ = news;
    guest_->attach(hook);
    try {
        if (news == guest_news::helper_thread)
            waiter_ = std::make_unique<guest_waiter>(*guest_, hook);
    } catch (...) {
        guest_->detach();
        throw;
    }
    is_attached_ = true;
}

void hosting::detach() noexcept {
    if (is_attached_)
        guest_->detach();
    is_attached_ = false;
    waiter_.reset();
    guest_ = nullptr;
}

bool hosting::prepare() noexcept {
    if (guest_->prepare())
        return true;
    if (waiter_ && !guest_->is_dispatching())
        waiter_->sleep_until(guest_->next_deadline().value_or(no_deadline));
    return false;
}

native_handle hosting::handle() const noexcept { return news_ == guest_news::handle ? guest_->poll_handle() : no_native_handle; }

std::optional<time_point> hosting::deadline() const noexcept { return waiter_ ? std::nullopt : guest_->next_deadline(); }

std::optional<dispatch_result> hosting::dispatch(const dispatch_budget& budget) noexcept {
    if (!guest_)
        return std::nullopt;
    if (is_inside())
        return dispatch_result{.more = false, .finished = guest_->is_finished()};
    if (waiter_)
        waiter_->end_sleep();
    bool is_gone = false;
    is_gone_ = &is_gone;
    const dispatch_result left = guest_->dispatch(budget);
    if (is_gone)
        return std::nullopt;
    is_gone_ = nullptr;
    if (!guest_)
        return std::nullopt;
    return left;
}

}
