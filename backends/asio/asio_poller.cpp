// asio_poller.cpp - waits with an io_context: one async_wait for each direction that somebody wants.
#include "../posix/clock.hpp"
#include "../posix/wake_fd.hpp"
#include "../reactor/reactor.hpp"

#include <corun/asio.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace corun {
namespace {

class asio_poller final : public poller {
public:
    explicit asio_poller(asio::io_context* borrowed)
        : own_(borrowed ? nullptr : std::make_unique<asio::io_context>(1)),
          context_(borrowed ? *borrowed : *own_),
          work_(context_.get_executor()),
          state_(std::make_shared<state>(context_)) {
        state_->wait_for_wake(state_);
    }
    ~asio_poller() override {
        // Handlers that are still to be called find it gone.
        state_->is_over = true;
        std::error_code ignored;
        state_->wake_events.cancel(ignored);
        (void)state_->wake_events.release();
    }

    std::error_code attach(registration& r) noexcept override {
        try {
            if (watches_.size() <= r.index)
                watches_.resize(r.index + 1);
            auto made = std::make_shared<watch>(context_, *state_, r);
            std::error_code error;
            made->descriptor.assign(r.fd, error);
            if (!error)
                watches_[r.index] = std::move(made);
            return error;
        } catch (const std::bad_alloc&) {
            return {ENOMEM, std::system_category()};
        }
    }

    void arm(registration& r) noexcept override {
        const std::shared_ptr<watch>& w = watches_[r.index];
        if (r.wanted() & registration::readable)
            look_for(w, registration::readable, asio::posix::stream_descriptor::wait_read);
        if (r.wanted() & registration::writable)
            look_for(w, registration::writable, asio::posix::stream_descriptor::wait_write);
    }

    void detach(registration& r) noexcept override {
        const std::shared_ptr<watch> w = std::exchange(watches_[r.index], nullptr);
        state_->news.remove(r);
        w->r = nullptr;
        (void)w->descriptor.release();   // ours to close; pending waits end as cancelled
    }

    bool wait(time_point deadline, ready_list& ready) noexcept override {
        if (!state_->host.call || deadline != time_point::min()) {
            run_until(deadline);
            context_.poll();
        }
        ready.splice_back(state_->news);
        return std::exchange(state_->woken, false);
    }

    void wake() noexcept override { state_->descriptor.wake(); }

    /// An io_context shows nobody what it waits on.
    native_handle wait_handle() const noexcept override { return no_native_handle; }

    /// Handlers note their news and touch no operation. But those of a borrowed context belong to the loop's thread: that one isn't waited
    /// on.
    void block(time_point deadline) noexcept override {
        if (own_)
            run_until(deadline);
    }

    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override {
        if (!own_)
            state_->host = {call, context};
        return !own_;
    }

private:
    /// Until a handler has run; not at all if there is news that nobody has taken.
    void run_until(time_point deadline) noexcept {
        if (context_.stopped())
            context_.restart();
        if (state_->woken || !state_->news.empty())
            return;
        if (deadline == no_deadline)
            context_.run_one();
        else if (const duration left = posix::time_until(deadline); left > duration::zero())
            context_.run_one_for(std::min<duration>(left, std::chrono::hours(24)));   // it adds to a clock that would overflow
    }

    /// What handlers use; the last of them frees it.
    struct state {
        explicit state(asio::io_context& c) : wake_events(c, descriptor.get()) {}

        /// asio::post may not be called by a signal handler: a descriptor of our own is what wakes.
        void wait_for_wake(const std::shared_ptr<state>& self) {
            wake_events.async_wait(asio::posix::stream_descriptor::wait_read, [self](const std::error_code& error) {
                if (error || self->is_over)
                    return;
                self->woken = true;
                self->descriptor.drain();
                self->wait_for_wake(self);
                self->host.tell();
            });
        }

        posix::wake_fd descriptor;
        asio::posix::stream_descriptor wake_events;
        ready_list news;
        host_of_news host;
        bool woken = false;
        bool is_over = false;
    };

    struct watch {
        watch(asio::io_context& c, state& s, registration& reg) : descriptor(c), to(s), r(&reg) {}
        asio::posix::stream_descriptor descriptor;
        state& to;
        registration* r;   // null once it is detached
        std::uint8_t looked_for = 0;
    };

    void look_for(const std::shared_ptr<watch>& w, std::uint8_t direction, asio::posix::stream_descriptor::wait_type what) noexcept {
        if (w->looked_for & direction)
            return;
        try {
            w->descriptor.async_wait(what, [w, direction](const std::error_code& error) {
                w->looked_for = static_cast<std::uint8_t>(w->looked_for & ~direction);
                if (w->r) {
                    w->to.news.add(*w->r, static_cast<std::uint8_t>(direction | (error ? registration::unusual : 0)));
                    w->to.host.tell();
                }
            });
            w->looked_for = static_cast<std::uint8_t>(w->looked_for | direction);
        } catch (const std::bad_alloc&) {
            // No memory to wait with: tried again in the next turn.
            w->to.news.add(*w->r, direction);
            w->to.host.tell();
        }
    }

    std::unique_ptr<asio::io_context> own_;
    asio::io_context& context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::shared_ptr<state> state_;
    std::vector<std::shared_ptr<watch>> watches_;   // by registration::index
};

}

std::unique_ptr<backend> make_asio() { return std::make_unique<reactor>(std::make_unique<asio_poller>(nullptr), "asio"); }

std::unique_ptr<backend> make_asio(asio::io_context& context) {
    return std::make_unique<reactor>(std::make_unique<asio_poller>(&context), "asio");
}

}
