// hosting.hpp - what is the same in every host: a thread for a guest that has no handle, the budget, an end at any time.
#pragma once

#include <corun/guest.hpp>

#include <memory>
#include <optional>

namespace corun {

class guest_waiter;

/// A guest in the hands of a loop that asks before it sleeps, and dispatches afterwards (poll(2), GLib). For loops that call back there is
/// host_pump. Belongs to the guest's thread, goes before the guest, and may go in one of its tasks or in on_done.
class hosting {
public:
    explicit hosting(guest& g, dispatch_budget budget = {}) noexcept;
    hosting(const hosting&) = delete;

    /// Detaches.
    ~hosting();

    /// Becomes the guest's host, told of its news as usable_news() says; `hook` is the guest's, and the helper thread's where there is one.
    /// Throws usage_error if the guest has a host, std::system_error if no thread can be made.
    void attach(guest_news news, wake_hook hook);

    /// The hook is not called once this has returned; hosted() is null. Idempotent.
    void detach() noexcept;

    /// Null once it is detached.
    guest* hosted() const noexcept { return guest_; }

    /// As guest::prepare(); from false on the helper thread waits, where there is one.
    bool prepare() noexcept;

    /// After prepare() has answered false: what the host waits for beside the hook. None where the helper thread waits.
    native_handle handle() const noexcept;
    std::optional<time_point> deadline() const noexcept;

    /// As guest::dispatch(). Nothing if it is detached, or if this was detached or destroyed meanwhile: then leave its owner alone.
    std::optional<dispatch_result> dispatch() noexcept { return dispatch(budget_); }
    std::optional<dispatch_result> dispatch(const dispatch_budget& budget) noexcept;

    /// True in a loop that runs inside a task, or inside on_done: nothing is dispatched there. (Another thread is told that it is one.)
    bool is_inside() const noexcept { return guest::here() == guest_ && (is_gone_ || guest_->is_dispatching()); }

    const dispatch_budget& budget() const noexcept { return budget_; }

private:
    guest* guest_;
    dispatch_budget budget_;
    guest_news news_ = guest_news::helper_thread;
    std::unique_ptr<guest_waiter> waiter_;
    bool is_attached_ = false;
    bool* is_gone_ = nullptr;   // in dispatch(): told of this object's end
};

}
