// libuv_host.cpp - see libuv_host.hpp.
#include <corun/guest_waiter.hpp>
#include <corun/libuv_host.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
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

struct libuv_host::state {
    state(guest& g, dispatch_budget b) noexcept : hosted(&g), budget(b) {}

    void begin(uv_loop_t* loop) {
        check(uv_async_init(loop, &wake, [](uv_async_t* a) { static_cast<state*>(a->data)->dispatch(); }), "corun: uv_async_init");
        ++open;
        wake.data = this;
        uv_timer_init(loop, &timer);
        ++open;
        timer.data = this;
        const wake_hook hook{[](void* s) noexcept { uv_async_send(&static_cast<state*>(s)->wake); }, this};
        news = usable_news(*hosted, watched_by::poller);
        if (news == guest_news::handle) {
            check(uv_poll_init(loop, &watch, static_cast<int>(hosted->poll_handle())), "corun: uv_poll_init");
            ++open;
            watch.data = this;
        } else if (news == guest_news::helper_thread) {
            waiter = std::make_unique<guest_waiter>(*hosted, hook);
        }
        hosted->attach(hook);
        is_attached = true;
        uv_async_send(&wake);
    }

    /// What has been made so far; the last handle to be closed frees this.
    void end() noexcept {
        if (is_attached)
            hosted->detach();
        waiter.reset();
        hosted = nullptr;
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

    void dispatch() noexcept {
        if (!hosted || hosted->is_dispatching())
            return;
        if (waiter)
            waiter->end_sleep();
        const dispatch_result left = hosted->dispatch(budget);
        if (!hosted)
            return;
        if (left.finished) {
            uv_unref(as_handle(wake));
            stop();
        } else if (left.more || hosted->prepare()) {
            stop();
            uv_async_send(&wake);
        } else {
            sleep();
        }
    }

    void sleep() noexcept {
        const auto deadline = hosted->next_deadline();
        if (waiter) {
            waiter->sleep_until(deadline.value_or(no_deadline));
            return;
        }
        if (news == guest_news::handle && !uv_is_active(as_handle(watch))) {
            uv_poll_start(&watch, UV_READABLE, [](uv_poll_t* p, int, int) { static_cast<state*>(p->data)->dispatch(); });
            uv_unref(as_handle(watch));
        }
        if (!deadline) {
            uv_timer_stop(&timer);
            return;
        }
        const duration left = std::max(*deadline - hosted->get_loop().time(), duration::zero());
        uv_update_time(wake.loop);
        uv_timer_start(
            &timer, [](uv_timer_t* t) { static_cast<state*>(t->data)->dispatch(); },
            static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(left).count()), 0);
        uv_unref(as_handle(timer));
    }

    /// Nothing is to be waited for. The handle goes on being watched while there is more: stopping it would cost two system calls.
    void stop() noexcept {
        uv_timer_stop(&timer);
        if (hosted->is_finished() && news == guest_news::handle)
            uv_poll_stop(&watch);
    }

    guest* hosted;
    dispatch_budget budget;
    guest_news news = guest_news::helper_thread;
    std::unique_ptr<guest_waiter> waiter;
    uv_async_t wake;
    uv_timer_t timer;
    uv_poll_t watch;
    int open = 0;
    bool is_attached = false;
};

libuv_host::libuv_host(uv_loop_s& loop, guest& g, dispatch_budget budget) : state_(new state(g, budget)) {
    try {
        state_->begin(&loop);
    } catch (...) {
        state_->end();
        throw;
    }
}

libuv_host::~libuv_host() { state_->end(); }

}
