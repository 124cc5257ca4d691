// libuv_host.cpp - see libuv_host.hpp.
#include <corun/host_pump.hpp>
#include <corun/libuv_host.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>

#include <uv.h>

namespace corun {
namespace {

void check(int answer, const char* call) {
    if (answer < 0)
        throw std::system_error(-answer, std::system_category(), call);
}

template <class H>
uv_handle_t* as_handle(H& h) noexcept {
    return reinterpret_cast<uv_handle_t*>(&h);
}

}

/// Its handles end in a turn of their loop's; it is detached before.
struct libuv_host::state final : host_pump {
    state(guest& g, dispatch_budget b) noexcept : host_pump(g, b) {}

    void begin(uv_loop_t* l) {
        check(uv_async_init(l, &wake, [](uv_async_t* a) { static_cast<state*>(a->data)->dispatch(); }), "corun: uv_async_init");
        ++open;
        wake.data = this;
        uv_timer_init(l, &timer);
        ++open;
        timer.data = this;
        attach(watched_by::poller);
        if (news() == guest_news::handle) {
            check(uv_poll_init(l, &watch, static_cast<int>(hosted()->poll_handle())), "corun: uv_poll_init");
            ++open;
            watch.data = this;
        }
    }

    /// What has been made so far; the last handle to be closed frees this.
    void end() noexcept {
        detach();
        if (open == 0) {
            delete this;
            return;
        }
        const auto closed = [](uv_handle_t* h) {
            auto* const s = static_cast<state*>(h->data);
            if (--s->open == 0)
                delete s;
        };
        const int handles = open;   // made in this order
        uv_close(as_handle(wake), closed);
        if (handles > 1)
            uv_close(as_handle(timer), closed);
        if (handles > 2) {
            uv_poll_stop(&watch);
            uv_close(as_handle(watch), closed);
        }
    }

    void keep_alive(bool keeps) noexcept {
        if (is_over)
            return;
        (keeps ? &uv_ref : &uv_unref)(as_handle(wake));
    }

    void call_soon() noexcept override { uv_async_send(&wake); }

    /// The handle goes on being watched while there is more to do: stopping it would cost two system calls.
    void sleep(native_handle handle, std::optional<duration> at_most) override {
        if (handle != no_native_handle && !uv_is_active(as_handle(watch))) {
            uv_poll_start(&watch, UV_READABLE, [](uv_poll_t* p, int, int) { static_cast<state*>(p->data)->dispatch(); });
            uv_unref(as_handle(watch));
        }
        if (!at_most) {
            uv_timer_stop(&timer);
            return;
        }
        uv_update_time(timer.loop);
        uv_timer_start(
            &timer, [](uv_timer_t* t) { static_cast<state*>(t->data)->dispatch(); },
            static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(*at_most).count()), 0);
        uv_unref(as_handle(timer));
    }

    void stop() noexcept override {
        is_over = true;
        uv_unref(as_handle(wake));
        uv_timer_stop(&timer);
        if (open > 2)
            uv_poll_stop(&watch);
    }

    uv_async_t wake;
    uv_timer_t timer;
    uv_poll_t watch;
    int open = 0;
    bool is_over = false;
};

libuv_host::libuv_host(uv_loop_s& loop, guest& g, dispatch_budget budget) : state_(new state(g, budget)) {
    try {
        state_->begin(&loop);
    } catch (...) {
        state_->end();
        throw;
    }
}

void libuv_host::keeps_alive(bool keeps) noexcept { state_->keep_alive(keeps); }

libuv_host::~libuv_host() { state_->end(); }

}
