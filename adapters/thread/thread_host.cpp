// thread_host.cpp - see thread_host.hpp.
#include <corun/guest_waiter.hpp>
#include <corun/thread_host.hpp>

#include <utility>

namespace corun {

/// Requests keep it; what it points to is gone after the host.
struct thread_host::state : std::enable_shared_from_this<state> {
    state(guest& g, call_soon p, dispatch_budget b) : hosted(&g), post(std::move(p)), budget(b) {}

    void begin() {
        const wake_hook hook{[](void* s) noexcept { static_cast<state*>(s)->request(); }, this};
        waiter = std::make_unique<guest_waiter>(*hosted, hook);
        hosted->attach(hook);
        request();
    }

    void end() noexcept {
        hosted->detach();
        waiter.reset();
        hosted = nullptr;
    }

    void request() {
        post([self = shared_from_this()] { self->dispatch(); });
    }

    void dispatch() {
        if (!hosted || hosted->is_dispatching())
            return;
        waiter->end_sleep();
        const dispatch_result left = hosted->dispatch(budget);
        if (!hosted || left.finished)
            return;
        if (left.more || hosted->prepare())
            request();
        else
            waiter->sleep_until(hosted->next_deadline().value_or(no_deadline));
    }

    guest* hosted;
    call_soon post;
    dispatch_budget budget;
    std::unique_ptr<guest_waiter> waiter;
};

thread_host::thread_host(guest& g, call_soon post, dispatch_budget budget) : state_(std::make_shared<state>(g, std::move(post), budget)) {
    state_->begin();
}

thread_host::~thread_host() { state_->end(); }

}
