// thread_host.cpp - see thread_host.hpp.
#include <corun/host_pump.hpp>
#include <corun/thread_host.hpp>

#include <utility>

namespace corun {

/// Requests keep it; it is detached once the host has gone.
struct thread_host::state final : host_pump, std::enable_shared_from_this<state> {
    state(guest& g, std::function<void(std::function<void()>)> p, dispatch_budget b) : host_pump(g, b), post(std::move(p)) {}

    void begin() { attach(watched_by::none); }
    void end() noexcept { detach(); }

    void call_soon() noexcept override {
        post([self = shared_from_this()] { self->dispatch(); });
    }

    /// The helper thread does, or the loop that the guest's backend lives on.
    void sleep(native_handle, std::optional<duration>) override {}
    void stop() noexcept override {}

    std::function<void(std::function<void()>)> post;
};

thread_host::thread_host(guest& g, call_soon post, dispatch_budget budget) : state_(std::make_shared<state>(g, std::move(post), budget)) {
    state_->begin();
}

thread_host::~thread_host() { state_->end(); }

}
