// asio_host.cpp - see asio_host.hpp.
#include <corun/asio_host.hpp>
#include <corun/guest_waiter.hpp>
#include <corun/usable_news.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

namespace corun {

/// Handlers keep it, and find `io` empty after the host or the context has gone.
struct asio_host::state : std::enable_shared_from_this<state> {
    state(asio::io_context& c, guest& g, dispatch_budget b) : hosted(&g), budget(b), io(std::in_place, c) {}

    void begin() {
        wake_hook hook{[](void* s) noexcept { static_cast<state*>(s)->request(); }, this};
        news = usable_news(*hosted, watched_by::poller);
        if (news == guest_news::handle)
            io->watch.assign(static_cast<int>(hosted->poll_handle()));
        else if (news == guest_news::helper_thread) {
            waiter = std::make_unique<guest_waiter>(*hosted, hook);
            hook.let_go = [](void* s) noexcept { static_cast<state*>(s)->waiter->end_sleep(); };
        }
        hosted->attach(hook);
        is_attached = true;
        request();
    }

    /// Nobody asks for dispatch() any more, nothing of the context's is held.
    void end_io() noexcept {
        if (std::exchange(is_attached, false))
            hosted->detach();
        waiter.reset();
        if (io && io->watch.is_open())
            (void)io->watch.release();
        io.reset();
    }

    /// Any thread.
    void request() {
        asio::post(io->context, [self = shared_from_this()] { self->dispatch(); });
    }

    void dispatch() {
        if (!io || hosted->is_dispatching())
            return;
        if (waiter)
            waiter->end_sleep();
        const dispatch_result left = hosted->dispatch(budget);
        if (!io)
            return;
        if (left.finished) {
            end_waits();
            return;
        }
        if (left.more || hosted->prepare())
            request();
        else
            sleep();
    }

    void sleep() {
        const auto deadline = hosted->next_deadline();
        if (waiter) {
            waiter->sleep_until(deadline.value_or(no_deadline));
            return;
        }
        if (news == guest_news::handle && !std::exchange(is_watching, true)) {
            io->watch.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const std::error_code& error) {
                self->is_watching = false;
                if (!error)
                    self->dispatch();
            });
        }
        if (!deadline || deadline == armed_for)
            return;
        // Its clock may be another one than the guest's, and adds to it.
        const duration left = std::clamp<duration>(*deadline - hosted->get_loop().time(), duration::zero(), std::chrono::hours(24));
        io->timer.expires_after(left);
        armed_for = deadline;
        io->timer.async_wait([self = shared_from_this()](const std::error_code& error) {
            if (error)
                return;
            self->armed_for.reset();
            self->dispatch();
        });
    }

    void end_waits() {
        io->work.reset();
        io->timer.cancel();
        if (io->watch.is_open())
            (void)io->watch.release();
    }

    struct objects {
        explicit objects(asio::io_context& c) : context(c), watch(c), timer(c), work(c.get_executor()) {}

        asio::io_context& context;
        asio::posix::stream_descriptor watch;
        asio::steady_timer timer;
        asio::executor_work_guard<asio::io_context::executor_type> work;
    };

    guest* hosted;
    dispatch_budget budget;
    guest_news news = guest_news::helper_thread;
    std::optional<objects> io;   // none once the context is gone
    std::unique_ptr<guest_waiter> waiter;
    bool is_watching = false;
    bool is_attached = false;
    std::optional<time_point> armed_for;
};

/// The hosts of a context: they let go of it when it ends.
class asio_host::registry : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit registry(asio::execution_context& c) : service(c) {}
    void shutdown() noexcept override {
        for (state* const host : std::exchange(hosts_, {}))
            host->end_io();
    }
    void add(state& host) { hosts_.push_back(&host); }
    void remove(state& host) noexcept { std::erase(hosts_, &host); }

private:
    std::vector<state*> hosts_;
};

asio_host::asio_host(asio::io_context& context, guest& g, dispatch_budget budget) : state_(std::make_shared<state>(context, g, budget)) {
    asio::use_service<registry>(context).add(*state_);
    try {
        state_->begin();
    } catch (...) {
        asio::use_service<registry>(context).remove(*state_);
        state_->end_io();
        throw;
    }
}

asio_host::~asio_host() {
    if (state_->io)
        asio::use_service<registry>(state_->io->context).remove(*state_);
    state_->end_io();
}

}
